# A session: one persistent shell. _text: the shell's command line. _commands: what the shell reads first (shell.sh).
export CLSH_HOST CLSH_RANK CLSH_COUNT
exec 5>&1 2>/dev/null
# Handlers, not "ignore": what is ignored here could never be trapped in the shell.
trap : HUP INT QUIT TERM
parent_of() {
  stat_of "$1" && set -- ${_line##*") "} && _parent=$2 _leader=$3
}
# Interrupts what the group does not reach: what runs in a group of its own (timeout makes one), and descends from the shell.
interrupt_others() {
  processes | while read -r _pid _ppid _pgrp _in; do
    [ "$_in" = "$_session" ] && [ "$_pgrp" != "$_led" ] && is_below "$_pid" && kill -INT "$_pid"
  done
}
# Interrupts again what the shell itself started, heeds SIGINT and still lives: it was being made when the signal came and missed it. Other
# descendants are not touched: they may be what a program does to clean up. The shell is a child of a child of this one.
interrupt_again() {
  for _stat in /proc/[0-9]*/stat; do
    _pid=${_stat#/proc/} _pid=${_pid%/stat}
    parent_of "$_pid" && [ "$_leader" = "$$" ] && parent_of "$_parent" && parent_of "$_parent" && [ "$_parent" = "$$" ] || continue
    heeds "$_pid" '*[2367abef]' && kill -INT "$_pid"
  done
}
# Not every shell has a printf of its own, and another's arguments stand in the process table for all to read.
say() { printf '%s\n' "$1"; }
case $(command -v printf; command -v print) in
  printf*) ;;
  *print) say() { print -r -- "$1"; } ;;
esac
# Passes lines on to the shell, and outlives it: the connection's end is the end of the whole group.
relay() {
  trap '' HUP INT QUIT TERM PIPE
  exec 4>&- 5>&-
  cat <<EOT
$_commands
EOT
  while IFS= read -r _said; do
    case $_said in
      # In this order: what is above the others may end, and they would descend from nobody.
      "$_nonce") interrupt_others; send INT $_group ;;
      "$_nonce again") interrupt_again ;;
      *) say "$_said" ;;
    esac
  done
  exec >/dev/null
  end_all
  # In the background: the channel is done as soon as the shell is.
  (sleep "$_grace"; kill_all) &
}
relay <&3 | {
  trap : HUP INT QUIT TERM
  exec 3<&-
  # In a subshell that alone has the channel's stderr, or this one would say there which signal ended it. ksh and mksh pass on only the
  # descriptors that stand behind a command.
  (fork_here; exec 2>&9; eval "exec $_text") >&5 8>&5 9>&4 4>&- 5>&-
  _status=$?
  report >&5
  exit $_status
}
