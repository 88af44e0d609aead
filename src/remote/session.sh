# A session: one persistent shell. Text: the shell's command line, a newline, and what the shell reads first (shell.sh). Descriptor 5: the channel's stdout.
shell=${text%%"
"*} first=${text#*"
"}
exec 5>&1
# Handlers, not "ignore": what is ignored here could never be trapped in the shell.
trap : HUP INT QUIT TERM
parent_of() {
  read -r line <"/proc/$1/stat" && set -- ${line##*") "} && parent=$2 leader=$3
}
# Interrupts again what the shell itself started, heeds SIGINT and still lives: it was being made when the signal came and missed it. Other
# descendants are not touched: they may be what a program does to clean up. The shell is a child of a child of this one.
again() {
  for stat in /proc/[0-9]*/stat; do
    pid=${stat#/proc/} pid=${pid%/stat}
    parent_of "$pid" && [ "$leader" = "$$" ] && parent_of "$parent" && parent_of "$parent" && [ "$parent" = "$$" ] || continue
    heeds "$pid" '*[2367abef]' && kill -INT "$pid"
  done
}
# Passes lines on to the shell, and outlives it: the connection's end is the end of the whole group.
relay() {
  trap '' HUP INT QUIT TERM PIPE
  # The first line proves that the transport forwards stdin.
  if IFS= read -r line; then
    exec 4>&- 5>&-
    printf '%s\n' "$first"
  else
    echo 'clsh: this transport forwards no standard input, which a session needs' >&4
    return
  fi
  while IFS= read -r line; do
    case $line in
      "$nonce") kill -INT $group ;;
      "$nonce again") again ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
  exec >/dev/null
  kill -TERM $group
  kill -CONT $group
  # In the background: the channel is done as soon as the shell is.
  (sleep "$grace"; kill -KILL $group) &
}
relay <&3 | {
  trap : HUP INT QUIT TERM
  exec 3<&-
  # In a subshell, or this one would say on the channel which signal ended it.
  (eval "exec $shell") >&5 2>&4 8>&5 9>&4 4>&- 5>&-
  status=$?
  report >&5
  exit $status
}
