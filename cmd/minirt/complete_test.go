package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// offered are the words of choices that begin as the last word of the line does.
func offered(line string) []string {
	words := strings.Split(line, " ")
	last := words[len(words)-1]
	list := []string{}
	for _, c := range choices(words[:len(words)-1], last) {
		if strings.HasPrefix(c.word, last) || c.word[0] == ':' {
			list = append(list, c.word)
		}
	}
	return list
}

func TestWhatMayStandAtTheCursorIsOffered(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for line, want := range map[string][]string{
		"sta":                         {"start", "state"},
		"nosuch ":                     {},
		"--root " + root + " sta":     {"start", "state"},
		"--root=" + root + " --log-l": {"--log-level"},
		"--log-format ":               {"text", "json"},
		"--log-format=j":              {"--log-format=json"},
		"--root ":                     {":directories"},
		"--root " + root + " state ":  {},
		"list --format j":             {"json"},
		"list -f j":                   {"json"},
		"list --quiet --format j":     {"json"},
		"list too many":               {},
		"help pa":                     {"pause"},
		"kill web KIL":                {"KILL"},
		"kill --":                     {"--all", "--help"},
		"kill web --":                 {},
		"kill -- --al":                {},
		"run --bundle ":               {":directories"},
		"run --bundle=":               {":directories"},
		"run --trace-denied --bundl":  {"--bundle"},
		"run ":                        {},
		"spec --file ":                {":files"},
		"man ":                        {":directories"},
		"completion f":                {"fish"},
		"completion -- f":             {"fish"},
		"completion fish more":        {},
		"update --resources ":         {":files"},
		"deploy --data zo":            {"zone", "zones"},
		"deploy --with ":              {":commands"},
		"deploy web --writ":           {"--writable"},
		"deploy web ":                 {":commands"},
		"deploy web sh --writ":        {":files"},
		"update --memory ":            {},
	} {
		if diff := cmp.Diff(want, offered(line)); diff != "" {
			t.Errorf("%q: want (-), got (+):\n%s", line, diff)
		}
	}
}

func TestEveryVerbAndFlagIsOffered(t *testing.T) {
	t.Parallel()
	for i := range verbs {
		v := &verbs[i]
		if got := offered(v.name); (v.group == "") == (len(got) > 0 && got[0] == v.name) {
			t.Errorf("%s: offered %q", v.name, got)
		}
		for _, f := range model(v.name, v.new()).Flags {
			flag := "--" + f.Name
			if got := offered(v.name + " " + flag); f.Hidden == (len(got) > 0 && got[0] == flag) {
				t.Errorf("%s %s: offered %q", v.name, flag, got)
			}
		}
	}
}

// A shell is one that completes: what it offers for a line is printed by its own words.
var shells = map[string]func(line string) []string{
	"bash": func(line string) []string {
		return []string{"bash", "--norc", "-c", `source <(minirt completion bash)
			COMP_LINE=$1 COMP_WORDS=() rest=$1
			while [[ $rest =~ ^\ *([=:]+|[^\ =:]+)(.*) ]]; do COMP_WORDS+=("${BASH_REMATCH[1]}"); rest=${BASH_REMATCH[2]}; done
			[[ $1 == *" " ]] && COMP_WORDS+=("")
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			_minirt; printf '%s\n' "${COMPREPLY[@]}"`, "bash", line}
	},
	"fish": func(line string) []string {
		return []string{"fish", "--no-config", "-c", `minirt completion fish | source; complete -C $argv[1] | string replace -r '\t.*' ''; true`, line}
	},
	"zsh": func(line string) []string {
		// A zsh with a terminal of its own, whose compadd tells what it is given.
		return []string{"zsh", "-f", "-c", `zmodload zsh/zpty; zpty shell zsh -f -i
			say() { zpty -w shell $1 }
			say 'PS1=; autoload -Uz compinit; compinit -D -u; source <(minirt completion zsh); zstyle ":completion:*" verbose no; setopt NO_ALWAYS_LAST_PROMPT NO_LIST_BEEP'
			say 'compadd() { local -a got; builtin compadd -O got "$@"; print -rl -- "offer:"${^got} >>$ZDOTDIR/offers; builtin compadd "$@" }'
			say 'print ready >$ZDOTDIR/ready'
			for i in {1..100}; do [[ -e $ZDOTDIR/ready ]] && break; sleep 0.1; done
			zpty -n -w shell $1$'\t'
			for i in {1..50}; do sleep 0.1; [[ -s $ZDOTDIR/offers ]] && break; done
			sleep 0.3; zpty -d shell; sed -n 's/^offer:\(..*\)/\1/p' $ZDOTDIR/offers | sort -u`, "zsh", line}
	},
}

func TestShellsCompleteByTheirScripts(t *testing.T) {
	t.Parallel()
	for shell, command := range shells {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(shell); err != nil {
				t.Skipf("no %s on this host", shell)
			}
			for line, want := range map[string]string{
				"minirt sta":           "start state",
				"minirt list --form":   "--format",
				"minirt completion ":   "bash fish zsh",
				"minirt spec --file f": "file",
				"minirt man d":         "dir",
			} {
				got := strings.Join(completed(t, command(line)), " ")
				if strings.ReplaceAll(got, "/", "") != want {
					t.Errorf("%q: offered %q, want %q", line, got, want)
				}
			}
		})
	}
}

// completed is what a shell's command prints in a directory with one file and one directory.
func completed(t *testing.T, command []string) []string {
	work, dot := t.TempDir(), t.TempDir()
	p := newPlace(t, work)
	if err := os.WriteFile(filepath.Join(work, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(work, "dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), command[0], command[1:]...)
	c.Dir = work
	c.Env = []string{"PATH=" + filepath.Dir(p.program) + ":" + os.Getenv("PATH"), "HOME=" + dot, "ZDOTDIR=" + dot, "TERM=xterm"}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	words := strings.Fields(string(out))
	slices.Sort(words)
	return words
}
