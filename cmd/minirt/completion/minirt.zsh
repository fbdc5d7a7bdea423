#compdef minirt
# Completion of minirt for zsh, by "minirt completion zsh".
# What may follow is asked of minirt itself; see "minirt help completion".

_minirt() {
	local line choice
	local -a choices
	for line in "${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
		choice=${line%%$'\t'*}
		case $choice in
		:files) compset -P '*='; _files ;;
		:directories) compset -P '*='; _files -/ ;;
		:commands) _command_names -e; _files ;;
		?*) choices+=("${choice//:/\\:}:${line#*$'\t'}") ;;
		esac
	done
	((${#choices})) && _describe minirt choices
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _minirt "$@"; else compdef _minirt minirt; fi
