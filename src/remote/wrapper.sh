# One command. Text: the command.
[ -x "$SHELL" ] || SHELL=/bin/sh
# What sudo finds for users who never log in.
case $SHELL in */nologin | */false) SHELL=/bin/sh ;; esac
# Not where this shell is gone itself: what is left then has nobody to speak for it.
parent_lives() {
  if [ -r /proc/self/stat ]; then
    read -r _stat </proc/$_first/stat || return 1
    set -- ${_stat##*") "}
    [ "$2" = "$_parent" ]
  else
    kill -0 $$ && { kill -0 "$_parent" || ps -p "$_parent" >/dev/null; }
  fi
}
# Ends what was being made when the group was told to end.
again() {
  for _stat in /proc/[0-9]*/stat; do
    _pid=${_stat#/proc/} _pid=${_pid%/stat}
    read -r _line <"$_stat" && set -- ${_line##*") "}
    [ "$3" = $$ ] && heeds "$_pid" '*[4567cdef]???' && kill -TERM "$_pid"
  done
}
watch() {
  # Not as redirections of the call: dash would save the channel's ends here, and hold them open.
  exec >/dev/null 4>&-
  # The first line proves that stdin is a lifeline; a transport that forwards none gives end of file at once.
  if [ "$_input" = own ] && read -r _line <&3; then
    while read -r _line <&3; do :; done
  else
    exec 3<&-
    # A parent outside of the container, or one that went before this shell began, is no sign.
    while { [ "$_parent" -le 1 ] || parent_lives; } && ! unheard $$; do sleep 1; done
  fi
  kill -USR1 $$
  kill -TERM $_group
  kill -CONT $_group
  sleep 0.1 || sleep 1
  again
  sleep "$_grace"
  kill -KILL $_group
}
# The watcher ignores these signals from its first moment on. The command gets them by default; this shell outlives them to report how the
# command ended, and does not start it after them.
trap '' HUP INT QUIT TERM
trap _gone=1 USR1
watch &
_watcher=$! _stop=
trap _stop=143 HUP INT QUIT TERM
printf '\036%s hello %s\036\n' "$_nonce" $$ >&4
if [ "$_stop" ]; then
  _status=$_stop
elif [ "$_input" = command ] && env --default-signal=INT,QUIT true; then
  # The command alone holds its stdin, or nobody would notice that it closed it. What runs in the background ignores INT and QUIT, and no
  # shell can change that.
  (exec env --default-signal=INT,QUIT "$SHELL" -c "$_text" <&3 2>&4 3<&- 4>&-) &
  _command=$!
  exec 3<&-
  # A signal to this shell ends the wait, and not the command.
  while wait $_command; _status=$?; kill -0 $_command; do :; done
else
  [ "$_input" = own ] || exec <&3
  exec 3<&-
  (exec "$SHELL" -c "$_text" 2>&4 4>&-)
  _status=$?
fi
report
[ "$_gone" ] || kill -KILL $_watcher
exit $_status
