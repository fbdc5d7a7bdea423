package security

import (
	"os"
	"strconv"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// console lets the container have a terminal. What the runtime sends to the
// console socket is taken, and kept open until the test ends.
func (b *box) console() {
	b.spec.Process.Terminal = true
	path := b.dir + "/socket"
	l, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0) // package net would need libc here
	must(b, err)
	b.Cleanup(func() { unix.Close(l) })
	must(b, unix.Bind(l, &unix.SockaddrUnix{Name: path}))
	must(b, unix.Listen(l, 4))
	b.before = func() {
		c, _, err := unix.Accept(l)
		must(b, err)
		defer unix.Close(c)
		text, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
		_, n, _, _, err := unix.Recvmsg(c, text, oob, unix.MSG_CMSG_CLOEXEC)
		must(b, err)
		messages, _ := unix.ParseSocketControlMessage(oob[:n])
		for i := range messages {
			fds, _ := unix.ParseUnixRights(&messages[i])
			for _, fd := range fds {
				b.Cleanup(func() { unix.Close(fd) })
			}
		}
	}
	b.flags = []string{"--console-socket", path}
}

// SEC-19, SEC-25: a terminal is a new one of a devpts, whatever the image and
// its volumes hold, and its /dev/console is made inside.
func TestATerminalIsTheKernelsOwn(t *testing.T) {
	trigger := func(b *box, path string) {
		must(b, os.MkdirAll(path, 0o755))
		for i := range 64 {
			must(b, os.Symlink("/proc/sys/kernel/core_pattern", path+"/"+strconv.Itoa(i)))
		}
	}
	for name, bundle := range map[string]func(b *box){
		"SEC-19 an ordinary one": func(b *box) {},
		"SEC-19 /dev/pts is a volume": func(b *box) {
			vol := b.volume("pts")
			trigger(b, vol)
			b.unmount("/dev/pts")
			b.bind(vol, "/dev/pts")
		},
		"SEC-19 /dev/pts is a volume with a ptmx": func(b *box) {
			vol := b.volume("pts")
			trigger(b, vol)
			must(b, unix.Mknod(vol+"/ptmx", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
			b.unmount("/dev/pts")
			b.bind(vol, "/dev/pts")
		},
		"SEC-19 /dev/console is a link to a file of procfs": func(b *box) {
			b.unmount("/dev/pts")
			b.unmount("/dev")
			b.link("/dev/console", "/proc/sysrq-trigger")
			b.mount(specs.Mount{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"newinstance", "ptmxmode=0666"}})
		},
		"SEC-25 /dev/console is a link to the host": func(b *box) {
			b.unmount("/dev/pts")
			b.unmount("/dev")
			b.link("/dev/console", b.canary+"/new")
			b.mount(specs.Mount{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"newinstance", "ptmxmode=0666"}})
		},
	} {
		for _, form := range []string{"absolute", "relative", "chain"} {
			t.Run(name+" "+form, func(t *testing.T) {
				b := newBox(t)
				b.form = form
				bundle(b)
				b.console()
				out := b.volume("out")
				b.bind(out, "/mnt")
				b.sh("stat -L -c %t /dev/console >/mnt/console; [ -t 0 ] && echo yes >/mnt/tty")
				before := b.census()
				o := b.run("create")
				b.unharmed(before, o)
				if o.refused {
					if name == "SEC-19 an ordinary one" {
						t.Errorf("%v", o)
					}
					return
				}
				const pts = "88\n" // 136, the major number of the first pseudo-terminals
				if got, _ := os.ReadFile(out + "/console"); string(got) != pts {
					t.Errorf("the console's major number is %q", got)
				}
				if got, _ := os.ReadFile(out + "/tty"); string(got) != "yes\n" {
					t.Errorf("there is no terminal: %v", o)
				}
			})
			if name == "SEC-19 an ordinary one" {
				break
			}
		}
	}
}
