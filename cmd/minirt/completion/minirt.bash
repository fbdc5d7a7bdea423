# Completion of minirt for bash, by "minirt completion bash".
# What may follow is asked of minirt itself; see "minirt help completion".

_minirt() {
	local word words=() glue= i
	# bash breaks words at = and : too; minirt wants them as they stand.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $glue || $word == [=:]* ]] && ((${#words[@]})); then words[-1]+=$word; else words+=("$word"); fi
		[[ $word == *[=:] ]] && glue=1 || glue=
	done
	local last=${words[-1]} here=${COMP_WORDS[COMP_CWORD]} choice
	[[ $here == [=:] ]] && here=
	local before=$((${#last} - ${#here})) # letters of the last word that bash has taken for words before it

	COMPREPLY=()
	while IFS=$'\t' read -r choice _; do
		case $choice in
		:files) compopt -o filenames; COMPREPLY+=($(IFS=$'\n'; compgen -f -- "$here")) ;;
		:directories) compopt -o filenames; COMPREPLY+=($(IFS=$'\n'; compgen -d -- "$here")) ;;
		:commands) COMPREPLY+=($(compgen -c -- "$here")) ;;
		"$last"*) COMPREPLY+=("${choice:before}") ;;
		esac
	done < <("${COMP_WORDS[0]}" complete -- "${words[@]}" 2>/dev/null)
	if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
} 2>/dev/null # compopt complains where bash isn't completing

complete -F _minirt minirt
