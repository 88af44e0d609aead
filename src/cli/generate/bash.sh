# Completion of clsh for bash, made by clsh --generate complete-bash.

# The names of nodes that begin with $1, as the flags typed so far name them.
_clsh_nodes() {
	local head='' name
	case $1 in *,*) head=${1%,*}, ;; esac
	while IFS= read -r name; do
		# Not by compgen, which would take quotes and backslashes of a name for its own.
		[[ $name == "${1#"$head"}"* ]] && COMPREPLY+=("$head$name")
	done < <("${_clsh_call[@]}" -q -Q 2>/dev/null)
	# Where bash cuts words at colons, it puts in what stands behind the last one only.
	[[ ${COMP_WORDBREAKS-:} == *:* ]] && COMPREPLY=("${COMPREPLY[@]#"${1%"${1##*:}"}"}")
	compopt -o nospace
}

# The values of the flag $1 that begin with $2.
_clsh_value() {
	case $1 in
@VALUES@	esac
}

_clsh() {
	# The words as they were typed: bash cuts them at colons, which stand in names.
	local words=() cword=0 at
	for ((at = 0; at <= COMP_CWORD; at++)); do
		if ((cword > 0)) && [[ ${COMP_WORDS[at]} == :* || ${words[cword - 1]} == *: ]]; then
			words[cword - 1]+=${COMP_WORDS[at]}
		else
			words[cword++]=${COMP_WORDS[at]}
		fi
	done
	((cword--))
	at=1
	local word value cur=${words[cword]}
	local with_value=' @WITH_VALUE@ '
	local _clsh_call=("$1")
	COMPREPLY=()
	[[ $cur == = ]] && cur=
	while ((at < cword)); do
		word=${words[at]} value=
		case $word in
		--) break ;;
		-*)
			# Of letters in one word the last one takes the value.
			case $word in --*) ;; *) word=-${word: -1} ;; esac
			if [[ $with_value == *" $word "* ]]; then
				((at++))
				[[ ${words[at]} == = ]] && ((at < cword)) && ((at++))
				((at >= cword)) && break
				value=${words[at]}
				case $word in @NODE_FLAGS@) _clsh_call+=("$word" "$value") ;; esac
			fi
			;;
		*) break ;;
		esac
		((at++))
		word=
	done
	if ((at >= cword)) && [[ $word == -* && $word != -- ]]; then
		_clsh_value "$word" "$cur"
	elif ((at < cword)); then
		# The command: its first word is a program, the rest is left to bash.
		[[ ${words[at]} == -- ]] && ((at++))
		((at == cword)) && mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '@FLAGS@' -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	fi
}
complete -o bashdefault -o default -F _clsh clsh
