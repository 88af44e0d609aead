# What every script on the far side begins with. Arguments: script, nonce, text, host, rank, count, seconds from SIGTERM to SIGKILL, and whose
# the channel's stdin is: "own" of this script, "command" of the command; text is still encoded. Descriptors from here on: 3 the channel's stdin, 4 its stderr.
nonce=$2 grace=$7 input=$8 again=$9 gone=
text=$(printf %b. "$3") text=${text%.}
CLSH_HOST=$4 CLSH_RANK=$5 CLSH_COUNT=$6
export CLSH_HOST CLSH_RANK CLSH_COUNT
exec 3<&0 4>&2 </dev/null 2>/dev/null
# Under sudo, su and the like this shell is not the leader of its group, and the group is not its own to end.
if [ -z "$again" ] && ! kill -0 -$$ && command -v setsid >/dev/null; then
  exec setsid sh -c 'eval "$(printf %b "$1")"' "$0" "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" again <&3 2>&4 3<&- 4>&-
fi
if kill -0 -$$; then group=-$$; else group=$$; fi
# Whether a process neither ignores nor catches the signal whose bit makes its mask match this pattern. One that was being made when such a
# signal came has missed it: it would be dead otherwise.
heeds() {
  while read -r name mask; do
    case $name$mask in SigIgn:$2 | SigCgt:$2) return 1 ;; esac
  done <"/proc/$1/status"
}
