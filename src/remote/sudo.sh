# What runs before the script of a command that is to run as another user. The question for the password is a frame, and its answer a line
# on stdin. It travels in the environment, because everybody can read an argument. -k: no answer is remembered.
exec 2>/dev/null
# Who is neither root nor the one who logged in can't look at this shell's stdout; but sees it when this shell is gone.
_outer=
if [ "$_input" = command ]; then
  (
    exec >/dev/null 3<&- 4>&-
    while kill -0 $$ && ! unheard $$; do sleep 1; done
    kill -KILL $$
  ) &
  _outer=$!
fi
SUDO_PROMPT="$_mark$_nonce ask$_mark
"
export SUDO_PROMPT
(fork_here; exec sudo -k -S -u "$_user" sh -c "$_bootstrap" clsh "$_first" "$_parent" <&3 2>&4 3<&- 4>&-)
_status=$?
[ -z "$_outer" ] || kill -KILL $_outer
report
exit $_status
