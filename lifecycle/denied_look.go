package lifecycle

import (
	"bytes"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// caller is a thread that has made a call, as its status in proc(5) tells.
type caller struct {
	pid                      int // of its process
	name                     string
	init                     bool // the first process of its pid namespace
	blocked, ignored, caught uint64
}

// lookAt reads it.
func lookAt(thread int) (c caller, ok bool) {
	b, err := readFile("/proc/"+strconv.Itoa(thread)+"/status", 64<<10)
	if err != nil {
		return caller{pid: thread}, false
	}
	c.pid = thread
	for line := range strings.SplitSeq(string(b), "\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch name {
		case "Name":
			c.name = value
		case "Tgid":
			c.pid, _ = strconv.Atoi(value)
		case "NStgid":
			numbers := strings.Fields(value)
			c.init = len(numbers) > 1 && numbers[len(numbers)-1] == "1"
		case "SigBlk":
			c.blocked, _ = strconv.ParseUint(value, 16, 64)
		case "SigIgn":
			c.ignored, _ = strconv.ParseUint(value, 16, 64)
		case "SigCgt":
			c.caught, _ = strconv.ParseUint(value, 16, 64)
		}
	}
	return c, true
}

// handles tells whether the signal calls a handler of the thread's.
func (c *caller) handles(s unix.Signal) bool { return c.caught&^c.blocked>>(s-1)&1 != 0 }

// touches tells whether the signal does something else than its default to the thread.
func (c *caller) touches(s unix.Signal) bool {
	return (c.blocked|c.ignored|c.caught)>>(s-1)&1 != 0
}

// pathArguments tell which arguments of a call are paths: a bit for each.
var pathArguments = [...]struct {
	names string
	bits  uint8
}{
	{"open,creat,stat,lstat,stat64,lstat64,access,mkdir,rmdir,unlink,chdir,chroot,chmod,chown,lchown,chown32,lchown32," +
		"readlink,truncate,truncate64,utime,utimes,mknod,statfs,statfs64,execve,acct,swapon,swapoff,uselib,umount,umount2," +
		"getxattr,lgetxattr,setxattr,lsetxattr,listxattr,llistxattr,removexattr,lremovexattr,memfd_create,fsopen", 1 << 0},
	{"rename,link,symlink,mount,pivot_root", 1<<0 | 1<<1},
	{"openat,openat2,mkdirat,mknodat,unlinkat,fchmodat,fchmodat2,fchownat,faccessat,faccessat2,readlinkat,newfstatat," +
		"fstatat64,futimesat,utimensat,statx,execveat,name_to_handle_at,open_tree,open_tree_attr,mount_setattr,fspick," +
		"inotify_add_watch,getxattrat,setxattrat,listxattrat,removexattrat,quotactl", 1 << 1},
	{"renameat,renameat2,linkat,move_mount", 1<<1 | 1<<3},
	{"symlinkat", 1<<0 | 1<<2},
	{"fanotify_mark", 1 << 4},
}

// paths gives what those arguments point at, as far as it can be read: it is
// the thread's memory, and others of its process may be about changing it.
func paths(call string, thread int, args *[6]uint64) (found [6]string) {
	for _, row := range pathArguments {
		if !listed(row.names, call) {
			continue
		}
		fd, err := unix.Open("/proc/"+strconv.Itoa(thread)+"/mem", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return found
		}
		defer unix.Close(fd)
		for i := range args {
			if row.bits>>i&1 != 0 && args[i] != 0 {
				found[i] = stringAt(fd, args[i])
			}
		}
		return found
	}
	return found
}

// listed tells whether a word is in a list with commas.
func listed(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}

// stringAt reads a string that ends with a zero, and cuts a long one.
func stringAt(memory int, address uint64) string {
	const most = 1024
	b := make([]byte, most)
	n, err := unix.Pread(memory, b, int64(address))
	if err != nil {
		return ""
	}
	if end := bytes.IndexByte(b[:n], 0); end >= 0 {
		return string(b[:end])
	}
	return string(b[:n]) + "..."
}
