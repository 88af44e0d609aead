# Where the channel's stdin is the command's, its end tells nobody that the connection is gone. Then this is asked once a second.
# A connection that others share outlives this channel, and so does the parent. But then nobody holds the other end of the pipe that is a
# process's stdout, and GNU tail dies of SIGPIPE for that, without writing. It is given a process that can't be, so it follows that one for
# no time; other tails know no --pid.
unheard() {
  tail -f --pid=2147483647 /dev/null >>/proc/$1/fd/1
  case $? in
    141 | 269 | 397) ;;
    *) return 1 ;;
  esac
}
# Not where this shell is gone itself: what is left then has nobody to speak for it.
is_connected() {
  if [ "$_session" ]; then
    stat_of self || return 1
    set -- ${_line##*") "}
    [ "$2" = $$ ] || return 1
    # A parent outside of the container, or one that went before this shell began, is no sign.
    [ "$_parent" -gt 1 ] || return 0
    stat_of "$_first" || return 1
    set -- ${_line##*") "}
    [ "$2" = "$_parent" ]
  else
    kill -0 $$ && { kill -0 "$_parent" || ps -p "$_parent" >/dev/null; }
  fi
}
