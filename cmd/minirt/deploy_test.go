package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// deploy --run of a shell, from a terminal, is a shell that one can type to.
func TestADeployedShellObeysThePersonAtTheTerminal(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs the rights of root")
	}
	work := t.TempDir()
	place, p := newPlace(t, work), newTerminal(t)
	t.Cleanup(func() { place.clear(t) })
	c := exec.Command(place.program, "--root", place.root, "deploy", "--run", "--with", "tty", "deployed-shell", "/bin/sh", "-i")
	c.Dir, c.Env, c.Stdin, c.Stdout, c.Stderr = work, place.env, p.slave, p.slave, p.slave
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p.await(t, "# ")
	p.master.WriteString("tty; exit $((40+2))\n")
	err := c.Wait()
	p.await(t, "/dev/pts/0") // its own: the first of its own devpts
	if c.ProcessState.ExitCode() != 42 {
		t.Errorf("ended with %v", err)
	}
	if _, err := os.Lstat(filepath.Join(work, "deployed-shell")); err == nil {
		t.Error("the bundle is left")
	}
}
