# One script. _call: the command line of its shell, none for the login shell. _file: set where _text is the script, and _args its
# arguments as they are quoted; else the shell reads the script from its stdin, as with ssh. run: becomes that shell, behind the words of
# another program, if there are some.
if [ "$_call" ]; then
  _name=$_call
else
  # sshd starts a login shell where no command is given. csh takes no argument beside that option.
  _name=$_shell
  case $_name$_file in
    *csh1) _call='"$_shell"' ;;
    *) _call='"$_shell" -l' ;;
  esac
fi
if [ "$_file" ]; then
  exec 5<<EOT
$_text
EOT
  # csh closes the descriptors it is handed.
  case $_name in
    *csh) _file=/proc/$$/fd/5 ;;
    *) _file=/dev/fd/5 ;;
  esac
  run() { eval "exec \"\$@\" $_call $_file $_args 5<&5"; }
else
  run() { eval "exec \"\$@\" $_call"; }
fi
