# One command. Text: the command.
[ -x "$SHELL" ] || SHELL=/bin/sh
# What sudo finds for users who never log in.
case $SHELL in */nologin | */false) SHELL=/bin/sh ;; esac
# Not where this shell is gone itself: what is left then has nobody to speak for it.
parent_lives() {
  if [ -r /proc/self/stat ]; then
    read -r stat </proc/$first/stat || return 1
    set -- ${stat##*") "}
    [ "$2" = "$parent" ]
  else
    kill -0 $$ && { kill -0 "$parent" || ps -p "$parent" >/dev/null; }
  fi
}
# Ends what was being made when the group was told to end.
again() {
  for stat in /proc/[0-9]*/stat; do
    pid=${stat#/proc/} pid=${pid%/stat}
    read -r line <"$stat" && set -- ${line##*") "}
    [ "$3" = $$ ] && heeds "$pid" '*[4567cdef]???' && kill -TERM "$pid"
  done
}
watch() {
  # Not as redirections of the call: dash would save the channel's ends here, and hold them open.
  exec >/dev/null 4>&-
  # The first line proves that stdin is a lifeline; a transport that forwards none gives end of file at once.
  if [ "$input" = own ] && read -r line <&3; then
    while read -r line <&3; do :; done
  else
    exec 3<&-
    # A parent outside of the container, or one that went before this shell began, is no sign.
    while { [ "$parent" -le 1 ] || parent_lives; } && ! unheard $$; do sleep 1; done
  fi
  kill -USR1 $$
  kill -TERM $group
  kill -CONT $group
  sleep 0.1 || sleep 1
  again
  sleep "$grace"
  kill -KILL $group
}
# The watcher ignores these signals from its first moment on. The command gets them by default; this shell outlives them to report how the
# command ended, and does not start it after them.
trap '' HUP INT QUIT TERM
trap gone=1 USR1
watch &
watcher=$! stop=
trap stop=143 HUP INT QUIT TERM
printf '\036%s hello %s\036\n' "$nonce" $$ >&4
if [ "$stop" ]; then
  status=$stop
elif [ "$input" = command ] && env --default-signal=INT,QUIT true; then
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
report
[ "$gone" ] || kill -KILL $watcher
exit $status
