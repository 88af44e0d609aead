#compdef clsh
# Completion of clsh for zsh, made by clsh --generate complete-zsh.

_clsh_nodes() {
	local -a call=(clsh) names
	local at
	for ((at = 2; at < CURRENT; at++)); do
		case $words[at] in
		@NODE_FLAGS@) call+=($words[at] ${(Q)words[at + 1]}) ;;
		esac
	done
	names=(${(f)"$($call -q -Q 2>/dev/null)"})
	_values -s , node $names
}

_arguments -s -S \
@SPECS@	'*::command:_normal'
