# What every script on the far side begins with. Arguments: script, nonce, text, host, rank, count, seconds from SIGTERM to SIGKILL, and whose
# the channel's stdin is: "own" of this script, "command" of the command; text is still encoded. Last what is to be done, or was done, before:
# "sudo USER", or "again PID PARENT", the first process of these and its parent; and "setsid" behind that. Descriptors from here on: 3 the channel's stdin, 4 its stderr.
_nonce=$2 _grace=$7 _input=$8 _before=$9 _gone=
exec 3<&0 4>&2 </dev/null 2>/dev/null
_first=$$ _parent=$PPID
case $_before in
  again*)
    _parent=${_before##* } _first=${_before#* } _first=${_first% *}
    # It would be all of this.
    unset SUDO_COMMAND
    ;;
esac
report() {
  # ksh93 counts death by a signal from 256.
  [ $_status -lt 256 ] || _status=$((_status - 128))
  # Where nobody reads any more, this shell dies here, and leaves to the watcher what the command left.
  printf '\036%s exit %s\036\n' "$_nonce" $_status
  printf '\036%s exit %s\036\n' "$_nonce" $_status >&4
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
case $_before in
  'sudo '*)
    # Who is neither root nor the one who logged in can't look at that pipe; but sees it when this shell is gone.
    _outer=
    if [ "$_input" = command ]; then
      (
        exec >/dev/null 3<&- 4>&-
        while kill -0 $$ && ! unheard $$; do sleep 1; done
        kill -KILL $$
      ) &
      _outer=$!
    fi
    # Each question is a frame, and its answer a line on stdin. -k: no answer is remembered.
    _ask=$(printf '\036%s ask\036\n.' "$_nonce")
    sudo -k -S -u "${_before#sudo }" -p "${_ask%.}" sh -c 'eval "$(printf %b "$1")"' \
      "$0" "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "again $_first $_parent" <&3 2>&4 3<&- 4>&-
    _status=$?
    [ -z "$_outer" ] || kill -KILL $_outer
    report
    exit $_status
    ;;
esac
_text=$(printf %b. "$3") _text=${_text%.}
CLSH_HOST=$4 CLSH_RANK=$5 CLSH_COUNT=$6
export CLSH_HOST CLSH_RANK CLSH_COUNT
# Under su and the like this shell is not the leader of its group, and the group is not its own to end.
if [ -z "${10}" ] && ! kill -0 -$$ && command -v setsid >/dev/null; then
  exec setsid sh -c 'eval "$(printf %b "$1")"' "$0" "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "again $_first $_parent" setsid <&3 2>&4 3<&- 4>&-
fi
if kill -0 -$$; then _group=-$$; else _group=$$; fi
# Whether a process neither ignores nor catches the signal whose bit makes its mask match this pattern. One that was being made when such a
# signal came has missed it: it would be dead otherwise.
heeds() {
  while read -r _name _mask; do
    case $_name$_mask in SigIgn:$2 | SigCgt:$2) return 1 ;; esac
  done <"/proc/$1/status"
}
