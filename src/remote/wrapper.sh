# One command. _text: the command. _input: who reads the channel's stdin: "own" this script, "command" the command.
# The command runs under the login shell that ssh would use, whatever a startup file made of SHELL. Where nobody logged in, SHELL is all
# there is.
_shell=$SHELL
if [ "$LOGNAME" ]; then
  # The file is asked before getent, because a process costs more than some lines; but not for all of a long file, which some shells read byte
  # by byte.
  _entry= _left=40
  while [ $_left -gt 0 ] && read -r _line; do
    case $_line in "$LOGNAME:"*) _entry=$_line _left=0 ;; esac
    _left=$((_left - 1))
  done </etc/passwd
  [ "$_entry" ] || _entry=$(getent passwd "$LOGNAME" 2>/dev/null || grep "^$LOGNAME:" /etc/passwd)
  [ -z "$_entry" ] || _shell=${_entry##*:}
fi
[ -x "$_shell" ] || _shell=/bin/sh
# What sudo finds for users who never log in.
case $_shell in */nologin | */false) _shell=/bin/sh ;; esac
# A shell counts how deep it stands. The login shell of plain ssh stands at 1, and bash reads ~/.bashrc only there.
unset SHLVL
export CLSH_HOST CLSH_RANK CLSH_COUNT
# An argument has room for 128 KiB. A longer command is read as a file, which csh closes when it is handed down.
if [ "$_long" ]; then
  exec 5<<EOT
$_text
EOT
  case $_shell in
    *csh) _read="source /proc/$$/fd/5" ;;
    *fish) _read='eval (cat <&5 | string collect)' ;;
    *xonsh) _read='source /dev/fd/5' ;;
    *) _read='. /dev/fd/5' ;;
  esac
  run() { exec "$@" "$_shell" -c "$_read" 5<&5; }
else
  run() { exec "$@" "$_shell" -c "$_text"; }
fi
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
