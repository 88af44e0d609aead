# Runs what was defined before ("run"), reports how it ended, and ends it when the connection goes. _input: who reads the channel's stdin:
# "own" this script, "command" what it runs.
# A shell counts how deep it stands. The login shell of plain ssh stands at 1, and bash reads ~/.bashrc only there.
unset SHLVL
export CLSH_HOST CLSH_RANK CLSH_COUNT
# Ends what was being made when all was told to end.
end_again() {
  processes | while read -r _pid _ppid _pgrp _in; do
    [ "$_in" = "$_session" ] && [ "$_pid" != $$ ] && heeds "$_pid" '*[4567cdef]???' && kill -TERM "$_pid"
  done
}
watch() {
  # Not as redirections of the call: dash would save the channel's ends here, and hold them open.
  exec >/dev/null 2>&1 4>&-
  if [ "$_input" = own ]; then
    while read -r _line; do :; done <&3
  else
    exec 3<&-
    while is_connected && ! unheard $$; do sleep 1; done
  fi
  kill -USR1 $$
  end_all
  sleep 0.1 || sleep 1
  end_again
  sleep "$_grace"
  kill_all
}
# The watcher ignores these signals from its first moment on. The command gets them by default; this shell outlives them to report how the
# command ended, and does not start it after them.
trap '' HUP INT QUIT TERM
_gone=
trap _gone=1 USR1
watch &
_watcher=$! _stop=
trap _stop=143 HUP INT QUIT TERM
exec 2>/dev/null
echo "$_mark$_nonce hello $$$_mark"
echo "$_mark$_nonce hello $$$_mark" >&4
# A shell that can make no process ends here.
trap 'echo "clsh: no process could be started here: is a limit reached (ulimit -u)?" >&4; _status=126; report; kill -KILL $_watcher' EXIT
if [ "$_stop" ]; then
  _status=$_stop
elif [ "$_input" = command ] && env --default-signal=INT,QUIT true; then
  # The command alone holds its stdin, or nobody would notice that it closed it. What runs in the background ignores INT and QUIT, and no
  # shell can change that.
  (run env --default-signal=INT,QUIT <&3 2>&4 3<&- 4>&-) &
  _command=$!
  exec 3<&-
  # A signal to this shell ends the wait, and not the command.
  while wait $_command; _status=$?; kill -0 $_command; do :; done
else
  [ "$_input" = own ] || exec <&3
  exec 3<&-
  # The subshell alone has the channel's stderr, or ksh93 would say on it which signal ended the command.
  (fork_here; exec 2>&4 4>&-; run)
  _status=$?
fi
trap - EXIT
# What this script ended itself, because nobody hears it any more, has no status of its own.
if [ -z "$_gone" ]; then
  report
  kill -KILL $_watcher
fi
exit $_status
