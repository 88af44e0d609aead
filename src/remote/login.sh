# _shell: the login shell that ssh would use, whatever a startup file made of SHELL. Where nobody logged in, SHELL is all there is.
_shell=$SHELL
if [ "$LOGNAME" ]; then
  # The file is asked before getent, because a process costs more than some lines; but not for all of a long file, which some shells read byte
  # by byte.
  _entry= _left=40
  while [ $_left -gt 0 ] && read -r _line; do
    case $_line in "$LOGNAME:"*) _entry=$_line _left=0 ;; esac
    _left=$((_left - 1))
  done </etc/passwd
  [ "$_entry" ] || _entry=$(getent passwd "$LOGNAME" 2>/dev/null || grep "^$LOGNAME:" /etc/passwd)
  [ -z "$_entry" ] || _shell=${_entry##*:}
fi
[ -x "$_shell" ] || _shell=/bin/sh
# What sudo finds for users who never log in.
case $_shell in */nologin | */false) _shell=/bin/sh ;; esac
