// Package sight is what the probe says: values only.
package sight

// Sight is what a process sees of itself.
type Sight struct {
	Args, Env   []string
	Cwd         string
	UID, GID    int
	Groups      []int
	Umask       int
	PID, SID    int
	Status      map[string]string // the lines of /proc/self/status
	OOMScoreAdj string
	Hostname    string
	Domainname  string
	Machine     string // uname(2), machine
	Scheduler   Scheduler
	IOPriority  int    // ioprio_get(2): class << 13 | priority
	Personality int    // personality(2)
	MemoryMode  int32  // get_mempolicy(2): mode and its flags
	MemoryNodes uint64 // nodes 0 to 63
	Monotonic   int64  // clock_gettime(2), seconds
	Boottime    int64
	CPUs        int // that sched_getaffinity(2) counts
	Peer
}

// Scheduler is sched_getattr(2).
type Scheduler struct {
	Policy                    uint32
	Flags                     uint64
	Nice                      int32
	Priority                  uint32
	Runtime, Deadline, Period uint64
}

// Peer is what can be seen of a process from outside.
type Peer struct {
	Namespaces     map[string]string // name in /proc/PID/ns → what the link says
	Mountinfo      string
	Cgroup         string
	Exe            string
	UIDMap, GIDMap string
	Offsets        string // /proc/PID/timens_offsets
}

// Hook is what a hook sees.
type Hook struct {
	*Sight
	Time      int64 // when it began, nanoseconds since 1970
	Stdin     string
	Container *Peer // the process that the state on its standard input names
}
