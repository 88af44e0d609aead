# What the persistent shell reads first. Descriptors 8 and 9 are the channel's stdout and stderr, whatever becomes of 1 and 2; commands don't get them.
# Options that were exported (bash's SHELLOPTS) would end it, or trace these lines.
set +eux
\unset -f command 2>/dev/null || :
# _clsh_c: the command. _clsh_n: its number. _clsh_b: the same while it can be interrupted. _clsh_i: it was. _clsh_s: its status. _clsh_o:
# the options x and v, which trace the user's commands and not these: they are off in between, and not by a function, because zsh sets
# them again at a function's end. _clsh_r: how a command is run, kept here because the relay takes its time over each byte. The backslash
# keeps aliases of the user's away.
_clsh_c= _clsh_n= _clsh_b= _clsh_i= _clsh_s= _clsh_o=
_clsh_r='_clsh_start;\command eval "$_clsh_o$_clsh_c" </dev/null 8>&- 9>&-;{ _clsh_s=$? _clsh_o=; case $- in *x*) set +x; _clsh_o="set -x;";; esac; case $- in *v*) set +v; _clsh_o="${_clsh_o}set -v;";; esac; _clsh_done "$_clsh_s"; } 2>/dev/null'
_clsh_start() {
  _clsh_i= _clsh_b=$_clsh_n
  \command echo "MARKNONCE start ${_clsh_n}MARK" >&9
} 2>/dev/null
_clsh_done() {
  # From here on an interrupt comes too late, and both reports are made.
  _clsh_b=
  [ -z "$_clsh_i" ] || set -- 130
  # A function of the user's with this name would take the reports for something else, and the session would wait for ever.
  \unset -f command || :
  \command echo "MARKNONCE done $_clsh_n $1MARK" >&8
  \command echo "MARKNONCE done $_clsh_n $1MARK" >&9
} 2>/dev/null
# Sent behind an interrupt, for the one that came between a command's end and its report.
_clsh_late() { [ -z "$_clsh_b" ] || _clsh_done 130; } 2>/dev/null
# An interrupt ends the whole command line, as in an interactive shell, and not just the program that runs.
if [ "${BASH_VERSION-}" ]; then
  # bash skips each further command where a DEBUG trap says so: all up to the next one of these. A loop is left as well, but not where
  # it stands for its next turn, for there bash would go on breaking for ever; "((" stands there and elsewhere, and is told by its number.
  _clsh_skip() {
    case $BASH_COMMAND in
      *'command eval "$_clsh_o$_clsh_c"'*) return 1 ;;
      *_clsh_*) trap - DEBUG; shopt -u extdebug; set +T ;;
      'for '* | 'select '*) return 2 ;;
      '(('*) _clsh_k=$((_clsh_k + 1)); [ "$_clsh_k" -lt 1000 ] || return 1; return 2 ;;
      *) return 1 ;;
    esac
  }
  _clsh_d='_clsh_skip; case $? in 0) ;; 2) false ;; *) ! break 999 2>/dev/null ;; esac'
  # The trap is set last: in here $BASH_COMMAND is what ran when the signal came, and that may be one of these.
  trap '[ -z "$_clsh_b" ] || { _clsh_i=1 _clsh_k=0; set -T; shopt -s extdebug; trap "$_clsh_d" DEBUG; }' INT
elif [ "${ZSH_VERSION-}" ]; then
  # Neither zsh nor ksh knows a way to leave more than the program, or the loops.
  setopt posix_builtins
  trap '_clsh_i=$_clsh_b' INT
elif [ "${KSH_VERSION-}" ]; then
  trap '[ -z "$_clsh_b" ] || { _clsh_i=1; break 999; } 2>/dev/null' INT
else
  # An error ends what "command eval" evaluates, and not the shell.
  trap '[ -z "$_clsh_b" ] || { _clsh_i=1; : ${_clsh_error?}; } 2>/dev/null' INT
fi
\command echo "MARKNONCE hello $$MARK" >&8
\command echo "MARKNONCE hello $$MARK" >&9
