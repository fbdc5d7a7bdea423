package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/minirt/minirt/cmd/minirt/hot"
)

// grammar is what matters of kong's model.
type grammar struct{ Flags, Arguments []string }

func grammarOf(n *kong.Node) (g grammar) {
	describe := func(v *kong.Value) string {
		return strings.Join([]string{v.Name, v.Default, v.Enum, v.Target.Kind().String(), map[bool]string{true: "passthrough"}[v.Tag.Passthrough]}, "|")
	}
	for _, f := range n.Flags {
		if f.Name == "help" { // kong has words of its own for it, and puts it first
			continue
		}
		hidden := map[bool]string{true: "hidden"}[f.Hidden]
		g.Flags = append(g.Flags, describe(f.Value)+"|"+string(f.Short)+"|"+f.PlaceHolder+"|"+hidden+"|"+f.Help)
	}
	for _, a := range n.Positional {
		required := map[bool]string{true: "required"}[a.Required]
		g.Arguments = append(g.Arguments, describe(a)+"|"+required+"|"+a.Help)
	}
	return g
}

func TestTheModelIsTheOneThatKongReadsFromTheSameTags(t *testing.T) {
	t.Parallel()
	structs := map[string]func() any{"": func() any { return new(globals) }}
	for i := range verbs {
		structs[verbs[i].name] = func() any { return verbs[i].new() }
	}
	for name, flags := range structs {
		k, err := kong.New(flags())
		if err != nil {
			t.Errorf("%q: kong: %v", name, err)
			continue
		}
		want, got := grammarOf(k.Model.Node), grammarOf(model(name, flags()))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: kong's (-), ours (+):\n%s", name, diff)
		}
	}
}

func TestEveryVerbAndFlagIsExplained(t *testing.T) {
	t.Parallel()
	for i := range verbs {
		v := &verbs[i]
		c := v.new()
		if v.help == "" || c.Help() == "" || !strings.Contains(c.Example(), "minirt "+v.name) && !strings.Contains(c.Example(), " "+v.name) {
			t.Errorf("%s: help or example is missing", v.name)
		}
		n := model(v.name, c)
		for _, f := range n.Flags {
			if f.Help == "" || !f.IsBool() && f.PlaceHolder == "" {
				t.Errorf("%s --%s isn't explained", v.name, f.Name)
			}
		}
		for _, a := range n.Positional {
			if a.Help == "" {
				t.Errorf("%s %s isn't explained", v.name, a.Name)
			}
		}
	}
}

func TestHelpFitsATerminal(t *testing.T) {
	t.Parallel()
	pages := []string{overview()}
	for i := range verbs {
		pages = append(pages, verbs[i].page(verbs[i].new()))
	}
	for _, page := range pages {
		if !strings.HasPrefix(page, "Usage: minirt ") {
			t.Errorf("begins with %.20q", page)
		}
		for line := range strings.Lines(page) {
			if len(line) > columns+1 {
				t.Errorf("%d columns: %s", len(line)-1, line)
			}
		}
	}
}

func TestRunTakesWhatEnginesWrite(t *testing.T) {
	t.Parallel()
	want := hot.Run{
		Making: hot.Making{
			Bundling:      hot.Bundling{Bundle: "/b", NoPivot: true, PreserveFDs: 2},
			PIDFile:       "-p",
			ConsoleSocket: "/s=1",
			NewID:         "web",
		},
		TTY:  "auto",
		Keep: true,
	}
	for _, line := range []string{
		"--bundle /b --no-pivot --preserve-fds 2 --pid-file -p --console-socket /s=1 --keep web",
		"--bundle=/b --no-pivot=true --preserve-fds=2 --pid-file=-p --console-socket=/s=1 --keep=1 web",
		"-bundle /b -no-pivot -preserve-fds 2 -pid-file -p -console-socket /s=1 -keep web",
		"-b /b -no-pivot=true -preserve-fds=2 --pid-file -p --console-socket /s=1 --keep -- web",
		"-b=/a web --bundle /b --no-pivot --keep=false --preserve-fds 2 --pid-file -p --console-socket /s=1 --keep",
		"--b /b --no-pivot --preserve-fds 2 --pid-file -p --console-socket /s=1 --keep --detach=false -- web",
	} {
		var got hot.Run
		if _, err := parse(model("run", &got), strings.Fields(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: want (-), got (+):\n%s", line, diff)
		}
	}
}

func TestOptionsEndAtTheIDOfKillPsAndDeploy(t *testing.T) {
	t.Parallel()
	var k hot.Kill
	if _, err := parse(model("kill", &k), []string{"-a", "web", "-9"}); err != nil || k != (hot.Kill{All: true, ID: "web", Signal: "-9"}) {
		t.Errorf("kill: %v %+v", err, k)
	}
	var p psFlags
	if _, err := parse(model("ps", &p), []string{"web", "--", "-ef", "--help"}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(psFlags{Format: "table", ID: "web", Args: []string{"-ef", "--help"}}, p); diff != "" {
		t.Errorf("ps: want (-), got (+):\n%s", diff)
	}
	var d deployFlags
	if _, err := parse(model("deploy", &d), strings.Fields("--run hello --tty /bin/sh -c -- --run")); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(deployFlags{AndRun: true, configFlags: configFlags{TTY: true}, netFlags: netFlags{Net: "none"}, Bundle: "hello", Program: "/bin/sh", Args: []string{"-c", "--", "--run"}}, d, cmp.AllowUnexported(deployFlags{})); diff != "" {
		t.Errorf("deploy: want (-), got (+):\n%s", diff)
	}
}

func TestGlobalsEndAtTheVerb(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ line, root, rest string }{
		{"--root /r state --root x", "/r", "state --root x"},
		{"-root=/r -- state web", "/r", "state web"},
		{"--root -x --debug", "-x", ""},
		{"--rootless=true --systemd-cgroup=false kill a 9", "", "kill a 9"},
	} {
		var g globals
		rest, err := parse(model("", &g), strings.Fields(test.line))
		if err != nil || g.Root != test.root || strings.Join(rest, " ") != test.rest {
			t.Errorf("%s: %v, root %q, rest %q", test.line, err, g.Root, rest)
		}
	}
}

func FuzzNoCommandLinePanics(f *testing.F) {
	f.Add("--root\x00/r\x00run\x00-b=x\x00--\x00web")
	f.Add("kill\x00-a\x00web\x00--\x00-9")
	f.Add("state\x00--=\x00---\x00-é\x00")
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\x00")
		var g globals
		rest, err := parse(model("", &g), args)
		if err != nil || len(rest) == 0 {
			return
		}
		if v, c, err := verbOf(rest); err == nil && (v == nil || c == nil) {
			t.Errorf("%q: neither a verb nor an error", args)
		}
	})
}
