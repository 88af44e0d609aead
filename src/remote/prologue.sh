# What every script on the far side begins with. Arguments: script, nonce, text, host, rank, count, seconds from SIGTERM to SIGKILL, and whose
# the channel's stdin is: "own" of this script, "command" of the command; text is still encoded. Last what is to be done, or was done, before:
# "sudo USER", or "again PID PARENT", the first process of these and its parent; and "setsid" behind that. Descriptors from here on: 3 the channel's stdin, 4 its stderr.
nonce=$2 grace=$7 input=$8 before=$9 gone=
exec 3<&0 4>&2 </dev/null 2>/dev/null
first=$$ parent=$PPID
case $before in
  again*)
    parent=${before##* } first=${before#* } first=${first% *}
    # It would be all of this.
    unset SUDO_COMMAND
    ;;
esac
report() {
  # ksh93 counts death by a signal from 256.
  [ $status -lt 256 ] || status=$((status - 128))
  # Where nobody reads any more, this shell dies here, and leaves to the watcher what the command left.
  printf '\036%s exit %s\036\n' "$nonce" $status
  printf '\036%s exit %s\036\n' "$nonce" $status >&4
}
# A connection that others share outlives this channel, and so does the parent. But then nobody holds the other end of the pipe that is a
# process's stdout, and GNU tail dies of SIGPIPE for that, without writing. Of a process that can't be it follows for no time; other tails
# know no --pid.
unheard() {
  tail -f --pid=2147483647 /dev/null >>/proc/$1/fd/1
  case $? in
    141 | 269) ;;
    *) return 1 ;;
  esac
}
case $before in
  'sudo '*)
    # Who is neither root nor the one who logged in can't look at that pipe; but sees it when this shell is gone.
    outer=
    if [ "$input" = command ]; then
      (
        exec >/dev/null 3<&- 4>&-
        while kill -0 $$ && ! unheard $$; do sleep 1; done
        kill -KILL $$
      ) &
      outer=$!
    fi
    # Each question is a frame, and its answer a line on stdin. -k: no answer is remembered.
    ask=$(printf '\036%s ask\036\n.' "$nonce")
    sudo -k -S -u "${before#sudo }" -p "${ask%.}" sh -c 'eval "$(printf %b "$1")"' \
      "$0" "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "again $first $parent" <&3 2>&4 3<&- 4>&-
    status=$?
    [ -z "$outer" ] || kill -KILL $outer
    report
    exit $status
    ;;
esac
text=$(printf %b. "$3") text=${text%.}
CLSH_HOST=$4 CLSH_RANK=$5 CLSH_COUNT=$6
export CLSH_HOST CLSH_RANK CLSH_COUNT
# Under su and the like this shell is not the leader of its group, and the group is not its own to end.
if [ -z "${10}" ] && ! kill -0 -$$ && command -v setsid >/dev/null; then
  exec setsid sh -c 'eval "$(printf %b "$1")"' "$0" "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "again $first $parent" setsid <&3 2>&4 3<&- 4>&-
fi
if kill -0 -$$; then group=-$$; else group=$$; fi
# Whether a process neither ignores nor catches the signal whose bit makes its mask match this pattern. One that was being made when such a
# signal came has missed it: it would be dead otherwise.
heeds() {
  while read -r name mask; do
    case $name$mask in SigIgn:$2 | SigCgt:$2) return 1 ;; esac
  done <"/proc/$1/status"
}
