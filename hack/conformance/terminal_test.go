package conformance

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// console makes a socket for --console-socket; master gives the descriptor
// that comes over it.
func (b *box) console() (path string, master func() *os.File) {
	b.Helper()
	path = b.path("console")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	return path, func() *os.File {
		b.Helper()
		l.SetDeadline(time.Now().Add(10 * time.Second))
		c, err := l.AcceptUnix()
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		data, control := make([]byte, 4096), make([]byte, 4096)
		_, n, _, _, err := c.ReadMsgUnix(data, control)
		if err != nil {
			b.Fatal(err)
		}
		messages, err := unix.ParseSocketControlMessage(control[:n])
		if err != nil || len(messages) != 1 {
			b.Fatal(messages, err)
		}
		fds, err := unix.ParseUnixRights(&messages[0])
		if err != nil || len(fds) != 1 {
			b.Fatal(fds, err)
		}
		f := os.NewFile(uintptr(fds[0]), "terminal")
		b.Cleanup(func() { f.Close() })
		return f
	}
}

// withTerminal asks for a terminal, and for the devpts that it comes from.
func withTerminal() edit {
	return all(set("process.terminal", true), set("process.consoleSize", raw(`{"height":33,"width":77}`)),
		set("mounts[+]", raw(`{"destination":"/dev/pts","type":"devpts","source":"devpts","options":["newinstance","ptmxmode=0666","mode=0620"]}`)))
}

// PR-01, PR-02, DV-09
func TestATerminalIsTheProgramsAndItsMasterTheSocketsReader(t *testing.T) {
	t.Parallel()
	b := newBox(t, withTerminal(), shell(`busybox stty size; busybox tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all three
echo controlling >/dev/tty; [ $(stat -c %r /dev/console) = $(stat -L -c %r /proc/self/fd/0) ] && echo console; read line; echo "read $line"`))
	path, master := b.console()
	b.create("--console-socket", path)
	terminal := master()
	b.start()
	if _, err := terminal.WriteString("hello\n"); err != nil {
		t.Fatal(err)
	}
	b.ends()
	said, _ := io.ReadAll(terminal) // ends with EIO, once nobody holds the other end
	var got []string
	for line := range strings.Lines(string(said)) {
		if line = strings.TrimSpace(line); line != "hello" { // its echo, whenever that comes
			got = append(got, line)
		}
	}
	same(t, "what the terminal showed", got, []string{"33 77", "/dev/pts/0", "all three", "controlling", "console", "read hello"})
}

// PR-01: each wrong combination is refused.
func TestATerminalWithoutAReaderOrAReaderWithoutATerminalIsRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t, withTerminal())
	b.refuses([]string{"create", "--bundle", b.dir, b.id}, "console-socket")
	b.refuses([]string{"create", "--bundle", b.dir, "--console-socket", b.path("nowhere"), b.id}, b.path("nowhere"))
	b.edit(set("process.terminal", false))
	path, _ := b.console()
	if ours { // the texts are silent
		b.refuses([]string{"create", "--bundle", b.dir, "--console-socket", path, b.id}, "console-socket")
	}
}
