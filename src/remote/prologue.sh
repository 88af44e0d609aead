# What every script on the far side begins with, once it was read. Arguments, where sudo or setsid stand between this shell and the one that
# was started first: _first and _parent of that one.
# Options that a startup file exported (bash's SHELLOPTS) would change what these lines mean.
{ set +aCefuvx; } 2>/dev/null
# Descriptors from here on: 3 the channel's stdin, 4 its stderr. The shell's own words stay visible until it says hello, because they tell
# why it can't go on, where the limit of processes is reached for one.
exec 3<&0 4>&2 </dev/null
# _first: the topmost process of the group in which sshd, or whatever carries the node, started all this. _parent: who started that one.
# _above: the processes from that one to this shell. _session: this shell's session. _led: the group that this shell leads.
_first=${1:-$$} _parent=${2:-$PPID} _above= _session= _led= _own=
stat_of() {
  { read -r _line <"/proc/$1/stat"; } 2>/dev/null
}
if stat_of $$; then
  # The name of the program, which may hold anything, stands in parentheses before the fields.
  set -- ${_line##*") "}
  _group=$3 _session=$4
  [ "$_group" != $$ ] || _led=$$
  # Some login shells (fish, csh, dash) stay above what they start.
  while [ "$_group" != "$_first" ] && stat_of "$_parent"; do
    set -- ${_line##*") "}
    [ "$3" = "$_group" ] || break
    _above="$_above $_parent" _first=$_parent _parent=$2
  done
elif kill -s 0 -- -$$ 2>/dev/null; then
  _led=$$
  # Without /proc ps tells whose session this is, where it knows sessions.
  set -- $(ps -o sid= -p $$ 2>/dev/null)
  [ "${1-}" != $$ ] || _own=1
fi
# A session of its own is what all that the command starts is found by, in whichever process group, and a group of its own is what is
# signalled as one. A terminal belongs to a session, so there it is the one that sshd made, whose leader is the login shell.
if [ "$_own" ]; then
  :
elif [ "$_session" = $$ ] || { [ -t 3 ] && [ "$_session" = "$_first" ]; }; then
  _own=1
elif [ ! -t 3 ] && [ -z "$_led" ] && command -v setsid >/dev/null; then
  export s
  exec setsid sh -c 'eval "$s"' clsh "$_first" "$_parent" <&3 2>&4 3<&- 4>&-
fi
# It would hold the bootstrap, and not what was asked for.
unset s SUDO_COMMAND
# The run's nonce, the command, and the like.
IFS= read -r _line <&3 && eval "$_line" || exit
[ -z "${t-}" ] || stty "$t" <&3
# To be called first in a subshell that has the channel's stderr. ksh93 makes no process for a subshell, and would say on that stderr which
# signal ended what runs in there; but it makes one where a limit is set, here to what it is.
fork_here() { :; }
case ${KSH_VERSION-} in
  *93*) fork_here() { ulimit -S -c "$(ulimit -S -c)"; } ;;
esac
report() {
  # Death by a signal is counted from 256 by ksh93, and from 384 by yash.
  if [ $_status -ge 384 ]; then
    _status=$((_status - 256))
  elif [ $_status -ge 256 ]; then
    _status=$((_status - 128))
  fi
  # Where nobody reads any more, this shell dies here, and leaves to the watcher what the command left. "echo", because not every shell
  # has a printf of its own, and another's arguments stand in the process table for all to read.
  echo "$_mark$_nonce exit $_status$_mark"
  echo "$_mark$_nonce exit $_status$_mark" >&4
}
