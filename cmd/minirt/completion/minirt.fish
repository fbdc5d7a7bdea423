# Completion of minirt for fish, by "minirt completion fish".
# What may follow is asked of minirt itself; see "minirt help completion".

function __minirt_complete
	set -l words (commandline -opc) (commandline -ct)
	set -l last (commandline -ct)
	for line in ($words[1] complete -- $words[2..] 2>/dev/null)
		switch $line
			case ':files*'
				__fish_complete_path (string replace -r '^--[^=]*=' '' -- $last)
			case ':directories*'
				__fish_complete_directories (string replace -r '^--[^=]*=' '' -- $last)
			case ':commands*'
				__fish_complete_command
			case '*'
				echo $line
		end
	end
end

complete -c minirt -f -a '(__minirt_complete)'
