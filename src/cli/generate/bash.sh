# Completion of clsh for bash, made by clsh --generate complete-bash.

# The names of nodes that begin with $1, as the flags typed so far name them.
_clsh_nodes() {
	local head=
	case $1 in *,*) head=${1%,*}, ;; esac
	mapfile -t COMPREPLY < <(compgen -P "$head" -W "$("${_clsh_call[@]}" -q -Q 2>/dev/null)" -- "${1#"$head"}")
	compopt -o nospace
}

# The values of the flag $1 that begin with $2.
_clsh_value() {
	case $1 in
@VALUES@	esac
}

_clsh() {
	local at=1 word value cur=${COMP_WORDS[COMP_CWORD]}
	local with_value=' @WITH_VALUE@ '
	local _clsh_call=("$1")
	COMPREPLY=()
	[[ $cur == = ]] && cur=
	while ((at < COMP_CWORD)); do
		word=${COMP_WORDS[at]} value=
		case $word in
		--) break ;;
		-*)
			# Of letters in one word the last one takes the value.
			case $word in --*) ;; *) word=-${word: -1} ;; esac
			if [[ $with_value == *" $word "* ]]; then
				((at++))
				[[ ${COMP_WORDS[at]} == = ]] && ((at < COMP_CWORD)) && ((at++))
				((at >= COMP_CWORD)) && break
				value=${COMP_WORDS[at]}
				case $word in @NODE_FLAGS@) _clsh_call+=("$word" "$value") ;; esac
			fi
			;;
		*) break ;;
		esac
		((at++))
		word=
	done
	if ((at >= COMP_CWORD)) && [[ $word == -* && $word != -- ]]; then
		_clsh_value "$word" "$cur"
	elif ((at < COMP_CWORD)); then
		# The command: its first word is a program, the rest is left to bash.
		[[ ${COMP_WORDS[at]} == -- ]] && ((at++))
		((at == COMP_CWORD)) && mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '@FLAGS@' -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	fi
}
complete -o bashdefault -o default -F _clsh clsh
