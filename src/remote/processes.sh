# Whom signals are for: what the command started, in whatever process group, but not what left the session on purpose (setsid).
# _group: what kill takes to mean the processes that are signalled together. Those outside of it are looked for one by one.
if [ "$_led" ]; then _group=-$$; else _group=$$; fi
# Sends a signal to these processes. A shell without a kill of its own (posh) runs procps's, which without "--" takes a group's number for
# options, "-1" among them, and that is everybody. busybox complains about the "--", and does as it is told.
send() {
  kill -s "$1" -- "$2"
}
# Whether a process descends from this shell.
is_below() {
  _up=$1
  while [ "$_up" -gt 1 ] && stat_of "$_up"; do
    set -- ${_line##*") "}
    _up=$2
    [ "$_up" != $$ ] || return 0
  done
  return 1
}
# One line a process: its number, its parent's, its group's, its session's. Without /proc ps has to know them; a ps that knows no sessions
# leaves what changed its group unseen.
processes() {
  if [ "$_session" ]; then
    for _stat in /proc/[0-9]*/stat; do
      { read -r _line <"$_stat"; } 2>/dev/null && set -- "${_line%% *}" ${_line##*") "} && echo "$1 $3 $4 $5"
    done
  else
    ps -A -o pid= -o ppid= -o pgid= -o sid=
  fi
}
# Sends a signal to what the group does not reach. Where this shell has no session of its own, to its descendants.
signal_others() {
  processes | while read -r _pid _ppid _pgrp _in; do
    [ "$_pgrp" != "$_led" ] && [ "$_ppid" != "$_except" ] || continue
    # Neither this shell, nor what is above it, nor who calls this.
    case " $$ $_above $_except " in *" $_pid "*) continue ;; esac
    if [ "$_own" ]; then
      [ "$_in" = "${_session:-$$}" ] || continue
    else
      is_below "$_pid" || continue
    fi
    send "$1" "$_pid"
  done
}
# Whether a process neither ignores nor catches the signal whose bit makes its mask match this pattern. One that was being made when such a
# signal came has missed it: it would be dead otherwise.
heeds() {
  while read -r _name _mask; do
    case $_name$_mask in SigIgn:$2 | SigCgt:$2) return 1 ;; esac
  done <"/proc/$1/status"
}
end_all() {
  _except=
  if stat_of self; then _except=${_line%% *}; fi
  send TERM $_group
  signal_others TERM
  send CONT $_group
  signal_others CONT
}
kill_all() {
  # What is being made during one look is seen by the next.
  for _look in 1 2 3; do signal_others KILL; done
  send KILL $_group
}
