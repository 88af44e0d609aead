# One command. _text: the command, for the login shell. run: becomes what runs here, behind the words of another program, if there are some.
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
