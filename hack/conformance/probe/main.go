// Command probe tells, as one line of JSON, what the process that it is can
// see. The conformance tests run it as a container's program and as a hook,
// and compare what it says with config.json.
//
//	probe [ANY...]                 what the container's program sees
//	probe hook FILE [ACTION]       what a hook sees, appended to FILE; then
//	                               exit:N, sleep:SECONDS or kill, if asked to
//
// Descriptors and limits are better looked at by other means: Go's own start
// opens some of the former and raises one of the latter.
//
//go:debug containermaxprocs=0
package main

import (
	"encoding/json"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/minirt/minirt/hack/conformance/probe/sight"
	"golang.org/x/sys/unix"
)

// The scheduler, I/O priority and memory policy belong to a thread.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) > 2 && os.Args[1] == "hook" {
		hook(os.Args[2], os.Args[3:])
		return
	}
	say(os.Stdout, see())
}

func say(w io.Writer, v any) {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	if err != nil {
		os.Stderr.WriteString("probe: " + err.Error() + "\n")
		os.Exit(120)
	}
}

// hook appends what it sees to the file, and ends in the way that is asked for.
func hook(file string, action []string) {
	began := time.Now()
	stdin, _ := io.ReadAll(os.Stdin)
	h := sight.Hook{Sight: see(), Time: began.UnixNano(), Stdin: string(stdin)}
	var state struct{ Pid int }
	if json.Unmarshal(stdin, &state) == nil && state.Pid > 0 {
		h.Container = peer(strconv.Itoa(state.Pid))
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		os.Stderr.WriteString("probe: " + err.Error() + "\n")
		os.Exit(121)
	}
	say(f, &h)
	if len(action) == 0 {
		return
	}
	what, argument, _ := strings.Cut(action[0], ":")
	n, _ := strconv.Atoi(argument)
	switch what {
	case "exit":
		os.Exit(n)
	case "sleep":
		time.Sleep(time.Duration(n) * time.Second)
	case "kill":
		unix.Kill(os.Getpid(), unix.SIGKILL)
	}
}

func see() *sight.Sight {
	s := &sight.Sight{Args: os.Args, Env: environment(), UID: os.Getuid(), GID: os.Getgid(), PID: os.Getpid(), SID: sid()}
	s.Cwd, _ = unix.Getwd()
	s.Groups, _ = unix.Getgroups()
	s.Umask = unix.Umask(0)
	unix.Umask(s.Umask)
	s.Status = status("self")
	s.OOMScoreAdj = strings.TrimSpace(read("/proc/self/oom_score_adj"))
	s.Peer = *peer("self")
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		s.Hostname, s.Domainname = unix.ByteSliceToString(u.Nodename[:]), unix.ByteSliceToString(u.Domainname[:])
		s.Machine = unix.ByteSliceToString(u.Machine[:])
	}
	if a, err := unix.SchedGetAttr(0, 0); err == nil {
		s.Scheduler = sight.Scheduler{Policy: a.Policy, Flags: a.Flags, Nice: a.Nice, Priority: a.Priority, Runtime: a.Runtime, Deadline: a.Deadline, Period: a.Period}
	}
	s.IOPriority = call(unix.SYS_IOPRIO_GET, 1, 0)
	s.Personality = call(unix.SYS_PERSONALITY, 0xffffffff, 0)
	s.MemoryMode, s.MemoryNodes = memoryPolicy()
	s.Monotonic, s.Boottime = clock(unix.CLOCK_MONOTONIC), clock(unix.CLOCK_BOOTTIME)
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) == nil {
		s.CPUs = set.Count()
	}
	return s
}

// environment is the whole of it: os.Environ leaves out a name's repeats.
func environment() []string {
	if all := read("/proc/self/environ"); all != "" {
		return strings.Split(strings.TrimSuffix(all, "\x00"), "\x00")
	}
	return os.Environ()
}

// peer is what can be seen of a process from outside.
func peer(pid string) *sight.Peer {
	p := &sight.Peer{Namespaces: map[string]string{}, Mountinfo: read("/proc/" + pid + "/mountinfo"), Cgroup: read("/proc/" + pid + "/cgroup")}
	for _, n := range []string{"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"} {
		p.Namespaces[n], _ = os.Readlink("/proc/" + pid + "/ns/" + n)
	}
	p.Exe, _ = os.Readlink("/proc/" + pid + "/exe")
	p.UIDMap, p.GIDMap = read("/proc/"+pid+"/uid_map"), read("/proc/"+pid+"/gid_map")
	p.Offsets = read("/proc/" + pid + "/timens_offsets")
	return p
}

// status reads the lines of /proc/PID/status.
func status(pid string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(read("/proc/" + pid + "/status")) {
		if k, v, ok := strings.Cut(line, ":"); ok {
			m[k] = strings.TrimSpace(v)
		}
	}
	return m
}

func read(name string) string {
	b, _ := os.ReadFile(name)
	return string(b)
}

func sid() int {
	n, _ := unix.Getsid(0)
	return n
}

// call gives the result of a system call with two arguments, or -1.
func call(number, a, b uintptr) int {
	r, _, errno := unix.RawSyscall(number, a, b, 0)
	if errno != 0 {
		return -1
	}
	return int(r)
}

func memoryPolicy() (mode int32, nodes uint64) {
	var mask [16]uint64 // 1,024 nodes, the kernel's largest MAX_NUMNODES
	_, _, errno := unix.RawSyscall6(unix.SYS_GET_MEMPOLICY, uintptr(unsafe.Pointer(&mode)), uintptr(unsafe.Pointer(&mask)), 1024, 0, 0, 0)
	if errno != 0 {
		return -1, 0
	}
	return mode, mask[0]
}

// clock is a clock's whole seconds.
func clock(id int32) int64 {
	var t unix.Timespec
	if unix.ClockGettime(id, &t) != nil {
		return -1
	}
	return t.Sec
}
