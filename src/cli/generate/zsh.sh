#compdef clsh
# Completion of clsh for zsh, made by clsh --generate complete-zsh.

_clsh_nodes() {
	local -a call=(clsh) names expl
	local at
	# The word that is being typed names nothing yet.
	for ((at = 2; at < CURRENT - 1; at++)); do
		case $words[at] in
		@NODE_FLAGS@) call+=($words[at] ${(Q)words[at + 1]}) ;;
		esac
	done
	names=(${(f)"$($call -q -Q 2>/dev/null)"})
	# The nodes of the list that stand already stay as they are. A name is offered as it is, whatever it holds.
	compset -P '*,'
	_wanted nodes expl node compadd -q -S , -a names
}

_arguments -s -S \
@SPECS@	'*::command:_normal'
