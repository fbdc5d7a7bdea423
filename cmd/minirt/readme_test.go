package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A transcript is a command of README.md, with what it prints there.
type transcript struct {
	line    int // of README.md
	command string
	output  string
}

// transcripts are those of a text's ```console blocks: "$ command", and below it
// its output, in which … stands for anything.
func transcripts(text string) (list []transcript) {
	inside := false
	for i, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case !inside:
		case strings.HasPrefix(line, "$ "):
			list = append(list, transcript{i + 1, line[2:], ""})
		default:
			list[len(list)-1].output += line + "\n"
		}
	}
	return list
}

// atFirst is the command that README.md begins with, and what it prints; both
// stand alone there, to be copied.
func atFirst(text string) transcript {
	part := regexp.MustCompile(`(?s)## Try it\n.*?\n    ([^\n]*)\n.*? and prints\n\n    ([^\n]*)\n`).FindStringSubmatch(text)
	if part == nil {
		return transcript{}
	}
	return transcript{1, part[1], part[2] + "\n"}
}

// prints tells whether a text is what the transcript shows.
func (t *transcript) prints(text string) bool {
	want := strings.ReplaceAll(regexp.QuoteMeta(t.output), "…", ".*?")
	return regexp.MustCompile(`(?s)\A` + want + `\z`).MatchString(text)
}

// The commands of README.md are typed into one shell, in order, in a copy of
// what git clone gives; machine, network and state are their own: namespaces,
// and a tmpfs over /run.
func TestReadmeShowsWhatItsCommandsPrint(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("README.md is for root")
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	list := append([]transcript{atFirst(string(text))}, transcripts(string(text))...)
	if list[0].command == "" || len(list) < 10 {
		t.Fatalf("README.md has more commands than %+v", list)
	}
	const end = "\x00end of command\x00\n"
	var typed strings.Builder
	typed.WriteString("exec 2>&1\nmount -t tmpfs tmpfs /run\nip link set lo up\n")
	for _, c := range list {
		fmt.Fprintf(&typed, "%s\nprintf %q\n", c.command, strings.ReplaceAll(end, "\x00", "\\0"))
	}
	c := exec.CommandContext(t.Context(), "unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-s")
	c.Dir = clone(t)
	c.Stdin = strings.NewReader(typed.String())
	c.WaitDelay = time.Second
	out, err := c.CombinedOutput()
	printed := strings.Split(string(out), end)
	if len(printed) != len(list)+1 {
		t.Fatalf("%v: %d of %d commands ended: %s", err, len(printed)-1, len(list), out)
	}
	for i := range list {
		if !list[i].prints(printed[i]) {
			t.Errorf("README.md:%d: %s\nshown:\n%s\nprinted:\n%s", list[i].line, list[i].command, list[i].output, printed[i])
		}
	}
}

// clone is a copy of the repository's files, as they are now.
func clone(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "minirt")
	copied := exec.Command("bash", "-c", `mkdir "$1" && cd ../.. && git ls-files -z --cached --others --exclude-standard |
		tar --null -T - --ignore-failed-read -c | tar -C "$1" -x`, "bash", dir)
	if out, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

func TestTranscriptsAreReadAsTheyStand(t *testing.T) {
	t.Parallel()
	list := transcripts("no\n$ no\n```console\n$ one\n1\n$ two\na … c\n$ three\n```\n$ no\n```\n$ no\n```\n")
	if len(list) != 3 || list[0] != (transcript{4, "one", "1\n"}) || list[2].output != "" {
		t.Fatalf("%+v", list)
	}
	for text, want := range map[string]bool{"a b c\n": true, "a b\nb c\n": true, "a c\n": false, "a b c\nd\n": false, "": false} {
		if list[1].prints(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
