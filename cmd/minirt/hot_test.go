package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/minirt/minirt/cmd/minirt/hot"
)

// readByKong reads a command line as main does; nil for one that package hot
// leaves to main: what is wrong, help, versions, --debug, other verbs.
func readByKong(args []string) *hot.Call {
	var c hot.Call
	rest, err := parse(model("", &c.Globals), args)
	if g := &c.Globals; err != nil || len(rest) == 0 || g.Version || g.Debug || g.LogLevel == "debug" {
		return nil
	}
	c.Name = rest[0]
	v := find(c.Name)
	if v == nil || !isHot(v) {
		return nil
	}
	flags := v.new().(hot.Verb)
	if _, err := parse(model(v.name, flags), rest[1:]); err != nil {
		return nil
	}
	c.Verb = flags
	return &c
}

// isHot tells whether a verb's struct is one of package hot.
func isHot(v *verb) bool {
	return strings.HasSuffix(reflect.TypeOf(v.new()).Elem().PkgPath(), "/hot")
}

// lines are command lines; the first of each group is what engines write (docs/cli.md).
var lines = strings.Split(strings.TrimSpace(`
--root /r --log /b/log.json --log-format json --systemd-cgroup create --bundle /b --pid-file /b/pid --console-socket /s --pidfd-socket /t --no-pivot --no-new-keyring --preserve-fds 2 web
--root /r --debug=false --log /b/log.json --log-format json --rootless=true start web
--root /r --log /b/log.json --log-format json exec --process /tmp/p --console-socket /s --detach --pid-file /p web
--root /r kill --all web 9
--root /r kill web 15
--root /r delete --force web
--root /r delete web
--root /r state web
--root /r --log /b/log.json --log-format json update --resources - web
update --memory 1g --cpu-quota=-1 --device-add /dev/fuse --device-rm /a web
--systemd-cgroup create --bundle /b --pid-file /p --no-pivot --preserve-fds 1 --console-socket /s web
exec --pid-file /p --process /q --detach --preserve-fds 3 --console-socket /s web
--log-format=json --log /l --cgroup-manager disabled create --bundle /b web
--root=/r start web
--root=/r kill web TERM
--root=/r kill -a web 9
--root /r --systemd-cgroup exec --process /p web
--log /l --log-format json run --bundle /b --no-pivot --keep web
exec --process /p --console-socket /s --pid-file /p web

run -d -b=/b -no-subreaper -pid-file -p -- web
-root /r -- run web -d -b /b
run -d --log-driver file:/l --log-opt max-size=1m --log-opt=max-file=2 -b /b web
run --rm --tty=no web
run --tty maybe web
create --log-driver none web
run --trace-denied web
run --trace-denied --bundle /b web
run -trace-denied=/f.json web
run --trace-denied= web
run web --trace-denied
exec -e A=b --env C=d,e -c CAP_NET_RAW -g 1 -g 2 --cgroup a --cgroup b:c -u 1:2 -t=0 --cwd / web -- ls -l --help
exec -- web -- ls
exec --tty=1 web ls -- -h
kill web
kill -- web -9
kill web -- 9
kill web KILL
kill --all=false web 0
create --bundle= web
create - 
create --preserve-fds 007 web
delete web -f
delete web -f -- 
state -- -x
--criu /c --strict --rootless auto --log-level error state web
--root "" state ""
--b
--bundle /b
`), "\n")

// wrong are command lines that are left to main.
var wrong = strings.Split(strings.TrimSpace(`
--debug state web
--debug=true state web
--log-level debug state web
--log-level loud state web
--log-format xml state web
--rootless maybe state web
--strict=maybe state web
--nonsense state web
--version
-v state web
-h
--help state web
state
state a b
state --help web
state -h
state web -h
state --nonsense web
state web --
 state
run -dk web
run --preserve-fds -1 web
run --preserve-fds x web
run --preserve-fds 2147483648 web
run --preserve-fds= web
run --bundle
run --detach=yes web
run --console-socket
kill
kill a b c
kill -- web -- 9
kill --help web
exec
exec --help web ls
list
features
update --memory web
--
-
---
--=
`), "\n")

// words splits a line at its spaces; "" is an empty word.
func words(line string) []string {
	w := strings.Fields(line)
	for i := range w {
		if w[i] == `""` {
			w[i] = ""
		}
	}
	return w
}

func TestHotReadsCommandLinesAsKongDoes(t *testing.T) {
	t.Parallel()
	for _, line := range append(lines, wrong...) {
		if diff := cmp.Diff(readByKong(words(line)), hot.Read(words(line))); diff != "" {
			t.Errorf("%s: kong (-), hot (+):\n%s", line, diff)
		}
	}
}

func TestHotTakesWhatEnginesWrite(t *testing.T) {
	t.Parallel()
	for _, line := range lines {
		if line == "" {
			break
		}
		if hot.Read(words(line)) == nil {
			t.Errorf("left to kong: %s", line)
		}
	}
}

func TestEveryVerbOfPackageHotIsHot(t *testing.T) {
	t.Parallel()
	n := 0
	for i := range verbs {
		if v := &verbs[i]; isHot(v) {
			n++
			args := []string{v.name, "web", "TERM"}[:2]
			if v.name == "exec" {
				args = append(args, "ls")
			}
			if c := hot.Read(args); c == nil || reflect.TypeOf(c.Verb) != reflect.TypeOf(v.new()) {
				t.Errorf("%s: %+v", v.name, c)
			}
		}
	}
	if n != 8 {
		t.Errorf("%d hot verbs", n)
	}
}

func FuzzHotReadsAsKongDoes(f *testing.F) {
	for _, line := range append(lines, wrong...) {
		f.Add(strings.Join(words(line), "\x00"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\x00")
		if diff := cmp.Diff(readByKong(args), hot.Read(args)); diff != "" {
			t.Errorf("%q: kong (-), hot (+):\n%s", args, diff)
		}
	})
}

func BenchmarkHotRead(b *testing.B) {
	args := words(lines[0])
	for b.Loop() {
		hot.Read(args)
	}
}
