package security

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hostile is one of the programs that attack from inside. They print what they
// could do.
func hostile(name string, args []string) int {
	switch name {
	case "terminal":
		terminal()
	case "attach":
		attach(args[0])
	case "personality":
		personality(args)
	case "poke":
		poke(args[0], args[1])
	default:
		fmt.Println("unknown program", name)
		return 2
	}
	return 0
}

// terminal tries to push keys to the caller's terminal (SEC-35).
func terminal() {
	sid, _ := unix.Getsid(0)
	fmt.Printf("session %v\n", sid == os.Getpid())
	if fd, err := unix.Open("/dev/tty", unix.O_RDWR, 0); err != nil {
		fmt.Println("/dev/tty:", err)
	} else {
		fmt.Println("/dev/tty opened")
		push(fd)
	}
	for fd := range 3 {
		push(fd)
	}
}

func push(fd int) {
	key := byte('x')
	if err := ioctl(fd, unix.TIOCSTI, &key); err == nil {
		fmt.Println("pushed a key to", fd)
	}
}

// attach tries to trace another process.
func attach(pid string) {
	n, _ := strconv.Atoi(pid)
	err := unix.PtraceAttach(n)
	fmt.Println("attach:", err)
	if err == nil {
		unix.PtraceDetach(n)
	}
}

// personality makes the call with each two of the arguments.
func personality(args []string) {
	for i := 0; i+1 < len(args); i += 2 {
		a, _ := strconv.ParseUint(args[i], 0, 64)
		b, _ := strconv.ParseUint(args[i+1], 0, 64)
		_, _, errno := unix.RawSyscall(unix.SYS_PERSONALITY, uintptr(a), uintptr(b), 0)
		fmt.Printf("personality(%s, %s) = %d\n", args[i], args[i+1], errno)
	}
}

// poke looks without end into every process that appears in its pid namespace
// (SEC-03, SEC-04): secret is a file of the host's, and binary the device and
// inode of the runtime.
func poke(secret, binary string) {
	seen := make(map[string]bool)
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		dir, err := os.Open("/proc")
		if err != nil {
			return
		}
		names, _ := dir.Readdirnames(-1)
		dir.Close()
		for _, pid := range names {
			if n, err := strconv.Atoi(pid); err != nil || n == os.Getpid() {
				continue
			}
			if !seen[pid] {
				seen[pid] = true
				fmt.Println("seen", pid)
			}
			look("/proc/"+pid, secret, binary)
		}
	}
}

func look(proc, secret, binary string) {
	places := []string{proc + "/root", proc + "/cwd"}
	fds, _ := filepath.Glob(proc + "/fd/*")
	for _, p := range append(places, fds...) {
		if fd, err := unix.Open(p, unix.O_PATH, 0); err == nil {
			for _, up := range []string{".", strings.Repeat("../", 30)} {
				if f, err := unix.Openat(fd, up+"/"+secret, unix.O_RDONLY, 0); err == nil {
					fmt.Println("LEAK: the host's files by", p)
					unix.Close(f)
				}
			}
			unix.Close(fd)
		}
	}
	if fd, err := unix.Open(proc+"/exe", unix.O_PATH, 0); err == nil {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && identity(&st) == binary {
			fmt.Println("LEAK: the runtime's binary by", proc+"/exe")
		}
		if f, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_WRONLY, 0); err == nil {
			if identity(&st) == binary {
				unix.Write(f, []byte("overwritten"))
			}
			unix.Close(f)
		}
		unix.Close(fd)
	}
}

func identity(st *unix.Stat_t) string { return fmt.Sprintf("%d:%d", st.Dev, st.Ino) }
