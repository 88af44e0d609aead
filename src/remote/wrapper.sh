# One command. Text: the command.
[ -x "$SHELL" ] || SHELL=/bin/sh
# The command gets these signals by default; this shell outlives them to report how the command ended.
trap : HUP INT QUIT TERM
trap gone=1 USR1
parent_lives() {
  if [ -r /proc/$$/stat ]; then
    read -r stat </proc/$$/stat
    set -- ${stat##*") "}
    [ "$2" = "$PPID" ]
  else
    kill -0 "$PPID" || ps -p "$PPID" >/dev/null
  fi
}
# A connection that others share outlives this channel, and so does the parent. But then nobody holds the other end of stdout's pipe, and
# GNU tail dies of SIGPIPE for that, without writing. Of a process that can't be it follows for no time; other tails know no --pid.
unheard() {
  tail -f --pid=2147483647 /dev/null >>/proc/$$/fd/1
  case $? in
    141 | 269) ;;
    *) return 1 ;;
  esac
}
watch() {
  # Not as redirections of the call: dash would save the channel's ends here, and hold them open.
  exec >/dev/null 4>&-
  trap '' HUP INT QUIT TERM
  # The first line proves that stdin is a lifeline; a transport that forwards none gives end of file at once.
  if [ "$input" = own ] && read -r line <&3; then
    while read -r line <&3; do :; done
  else
    exec 3<&-
    [ "$PPID" -gt 1 ] || return
    while parent_lives && ! unheard; do sleep 1; done
  fi
  kill -USR1 $$
  kill -TERM $group
  kill -CONT $group
  sleep "$grace"
  kill -KILL $group
}
watch &
watcher=$!
printf '\036%s hello %s\036\n' "$nonce" $$ >&4
if [ "$input" = command ] && env --default-signal=INT,QUIT true; then
  # The command alone holds its stdin, or nobody would notice that it closed it. What runs in the background ignores INT and QUIT, and no
  # shell can change that.
  (exec env --default-signal=INT,QUIT "$SHELL" -c "$text" <&3 2>&4 3<&- 4>&-) &
  command=$!
  exec 3<&-
  # A signal to this shell ends the wait, and not the command.
  while wait $command; status=$?; kill -0 $command; do :; done
else
  [ "$input" = own ] || exec <&3
  exec 3<&-
  (exec "$SHELL" -c "$text" 2>&4 4>&-)
  status=$?
fi
# ksh93 counts death by a signal from 256.
[ $status -lt 256 ] || status=$((status - 128))
[ "$gone" ] || kill -KILL $watcher
printf '\036%s exit %s\036\n' "$nonce" $status
printf '\036%s exit %s\036\n' "$nonce" $status >&4
exit $status
