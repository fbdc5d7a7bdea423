package cgroup

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestFreezeStopsAndThawGoesOn(t *testing.T) {
	for name := range ways(made(t, "")) {
		t.Run(name, func(t *testing.T) {
			g := made(t, "")
			w := ways(g)[name]
			if w.freezer() == nil {
				if err := w.Freeze(); err == nil {
					t.Error("Freeze without a freezer says that it worked")
				}
				return
			}
			file := filepath.Join(t.TempDir(), "n")
			start(t, g, "n=0; while :; do n=$((n+1)); echo $n >"+file+"; done")
			for !exists(file) {
				time.Sleep(time.Millisecond)
			}
			if f, err := w.Frozen(); f || err != nil {
				t.Errorf("Frozen = %v, %v", f, err)
			}
			if err := w.Freeze(); err != nil {
				t.Fatal(err)
			}
			if f, err := w.Frozen(); !f || err != nil {
				t.Errorf("Frozen = %v, %v", f, err)
			}
			before, _ := os.ReadFile(file)
			time.Sleep(50 * time.Millisecond)
			if after, _ := os.ReadFile(file); string(after) != string(before) {
				t.Errorf("it went on from %s to %s", before, after)
			}
			if err := w.Kill(unix.SIGCONT); err != nil {
				t.Error(err)
			}
			if f, _ := w.Frozen(); !f {
				t.Error("a signal thawed it")
			}
			if err := w.Thaw(); err != nil {
				t.Fatal(err)
			}
			if f, err := w.Frozen(); f || err != nil {
				t.Errorf("Frozen = %v, %v", f, err)
			}
			for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
				if after, _ := os.ReadFile(file); len(after) > 0 && string(after) != string(before) {
					break
				}
				if time.Now().After(end) {
					t.Fatal("it didn't go on")
				}
			}
		})
	}
}
