package cgroup

import (
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestKillReachesATreeThatForks(t *testing.T) {
	for name := range ways(made(t, "")) {
		t.Run(name, func(t *testing.T) {
			g := made(t, "")
			if d := g.dir("pids"); d != nil {
				if err := write(d.Path+"/pids.max", "60"); err != nil {
					t.Fatal(err)
				}
			}
			start(t, g, `trap "" TERM HUP; f() { while :; do (f) 2>/dev/null & sleep 0.01; done; }; f 2>/dev/null`)
			inside(t, g, 20)
			if err := ways(g)[name].Kill(unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			inside(t, g, 0)
			if err := g.Remove(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestKillEndsAFrozenGroup(t *testing.T) {
	for name := range ways(made(t, "")) {
		t.Run(name, func(t *testing.T) {
			g := made(t, "")
			w := ways(g)[name]
			start(t, g, "sleep 60; :")
			inside(t, g, 2)
			if w.freezer() != nil {
				if err := w.Freeze(); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Kill(unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			inside(t, g, 0)
		})
	}
}

func TestKillSendsOtherSignalsToEachOnce(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	dir := t.TempDir()
	start(t, g, `s='trap "echo x >>'`+dir+`'/$BASHPID" USR1; touch '`+dir+`'/$BASHPID; while :; do sleep 0.02; done'
		(eval "$s") & (eval "$s") & trap "" USR1; sleep 60; :`)
	names := func() []string { f, _ := filepath.Glob(dir + "/*"); return f }
	for len(names()) < 2 {
		time.Sleep(2 * time.Millisecond)
	}
	if err := g.Kill(unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if content(t, names()[0]) == "x" && content(t, names()[1]) == "x" {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the signal didn't come")
		}
	}
	if f, _ := g.Frozen(); f {
		t.Error("frozen since")
	}
}
