package spec

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what Load says into testdata/rules")

// The files of testdata/rules are cases with empty lines between them. A case
// is comments, a command, the input, a line of four dashes, and what is wrong
// with it. The commands say what the input is put into, on lines of its own:
//
//	config     nothing: it is the whole document
//	members    a config with ociVersion and root
//	process    the process of such a config, with cwd, args and user
//	linux      linux of such a config
//	resources  a document of its own, for LoadResources
//	exec       a document of its own, for LoadProcess
//	state      a document of its own, for LoadState
//	unknown    a config, for Unknown
func TestRules(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no rules", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { rules(t, file) })
	}
}

func rules(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var fresh []string
	for _, text := range strings.Split(strings.TrimSpace(string(data)), "\n\n") {
		head, command, input, want := parseCase(t, text)
		got := say(t, command, input)
		if diff := cmp.Diff(want, got); diff != "" && !*update {
			t.Errorf("%s\n%s\n%s\nwanted -, got +:\n%s", head, command, input, diff)
		}
		fresh = append(fresh, head+command+"\n"+input+"\n----\n"+got)
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(fresh, "\n\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func parseCase(t *testing.T, text string) (head, command, input, want string) {
	for strings.HasPrefix(text, "#") {
		line, rest, _ := strings.Cut(text, "\n")
		head, text = head+line+"\n", rest
	}
	command, text, _ = strings.Cut(text, "\n")
	input, want, ok := strings.Cut(text, "\n----")
	if !ok && !*update {
		t.Fatalf("%s%s: no line of dashes", head, command)
	}
	return head, command, input, strings.TrimPrefix(want, "\n")
}

const members = `{"ociVersion": "1.3.0", "root": {"path": "rootfs"},`

// say gives what the package says of an input, line by line.
func say(t *testing.T, command, input string) string {
	var warnings []Fault
	var err error
	switch command {
	case "config":
		_, warnings, err = Load([]byte(input))
	case "members":
		_, warnings, err = Load([]byte(members + "\n" + input + "\n}"))
	case "process":
		_, warnings, err = Load([]byte(members + ` "process": {"cwd": "/", "args": ["sh"], "user": {"uid": 0, "gid": 0},` + "\n" + input + "\n}}"))
	case "linux":
		_, warnings, err = Load([]byte(members + ` "linux": {` + "\n" + input + "\n}}"))
	case "resources":
		_, warnings, err = LoadResources([]byte(input))
	case "exec":
		_, warnings, err = LoadProcess([]byte(input))
	case "state":
		_, err = LoadState([]byte(input))
	case "unknown":
		warnings = Unknown([]byte(input))
	default:
		t.Fatalf("no command %q", command)
	}
	var lines []string
	if err != nil {
		for _, f := range err.(Faults) {
			lines = append(lines, f.Error())
		}
	}
	for _, w := range warnings {
		lines = append(lines, "warning: "+w.Error())
	}
	if lines == nil {
		return "good"
	}
	return strings.Join(lines, "\n")
}
