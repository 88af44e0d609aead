# A session: one persistent shell. Text: the shell's command line, a newline, and what the shell reads first (shell.sh). Descriptor 5: the channel's stdout.
_shell=${_text%%"
"*} _first=${_text#*"
"}
exec 5>&1
# Handlers, not "ignore": what is ignored here could never be trapped in the shell.
trap : HUP INT QUIT TERM
parent_of() {
  read -r _line <"/proc/$1/stat" && set -- ${_line##*") "} && _parent=$2 _leader=$3
}
# Interrupts again what the shell itself started, heeds SIGINT and still lives: it was being made when the signal came and missed it. Other
# descendants are not touched: they may be what a program does to clean up. The shell is a child of a child of this one.
again() {
  for _stat in /proc/[0-9]*/stat; do
    _pid=${_stat#/proc/} _pid=${_pid%/stat}
    parent_of "$_pid" && [ "$_leader" = "$$" ] && parent_of "$_parent" && parent_of "$_parent" && [ "$_parent" = "$$" ] || continue
    heeds "$_pid" '*[2367abef]' && kill -INT "$_pid"
  done
}
# Passes lines on to the shell, and outlives it: the connection's end is the end of the whole group.
relay() {
  trap '' HUP INT QUIT TERM PIPE
  # The first line proves that the transport forwards stdin.
  if IFS= read -r _line; then
    exec 4>&- 5>&-
    printf '%s\n' "$_first"
  else
    echo 'clsh: this transport forwards no standard input, which a session needs' >&4
    return
  fi
  while IFS= read -r _line; do
    case $_line in
      "$_nonce") kill -INT $_group ;;
      "$_nonce again") again ;;
      *) printf '%s\n' "$_line" ;;
    esac
  done
  exec >/dev/null
  kill -TERM $_group
  kill -CONT $_group
  # In the background: the channel is done as soon as the shell is.
  (sleep "$_grace"; kill -KILL $_group) &
}
relay <&3 | {
  trap : HUP INT QUIT TERM
  exec 3<&-
  # In a subshell, or this one would say on the channel which signal ended it.
  (eval "exec $_shell") >&5 2>&4 8>&5 9>&4 4>&- 5>&-
  _status=$?
  report >&5
  exit $_status
}
