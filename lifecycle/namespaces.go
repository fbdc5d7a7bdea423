package lifecycle

import (
	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// births tells how the container's process gets into its namespaces
// (config-linux.md, Namespaces).
//
// The simple way: clone(2) makes the new ones, and the stage joins those that
// have a path. That can't be where a user namespace must come first, or where
// a namespace is only for children (a time namespace; a pid namespace with a
// path): then the stage joins and unshares step by step, and has a child in
// the end, with its parent for a parent: that is the container's process.
type births struct {
	clone   uintptr // new namespaces that the stage is born in
	first   []int   // places in kernel.Namespaces of those joined at first
	user    bool    // a new user namespace
	joined  bool    // a user namespace with a path
	unshare uintptr // new ones that the stage makes itself
	late    bool    // joins a pid namespace with a path, at the very end: SEC-03
	time    bool    // a new time namespace
	mounts  bool    // a mount namespace with a path
}

// second tells that the container's process is the stage's child.
func (b *births) second() bool {
	return b.late || b.time || b.unshare&(unix.CLONE_NEWPID|unix.CLONE_NEWTIME) != 0
}

// early tells that the stage joins its cgroups before all else: in a user
// namespace it has no right to any more, in a mount namespace that has a path
// the cgroups' names could lead anywhere, and where it asks for clock offsets it
// would take the one answer of its parent's for the other.
func (b *births) early() bool { return b.user || b.joined || b.time || b.mounts }

func birthsOf(s *specs.Spec, h *Host) births {
	var b births
	created, joined := namespacesOf(s)
	b.user = created&unix.CLONE_NEWUSER != 0
	b.joined = joined&unix.CLONE_NEWUSER != 0
	b.time = created&unix.CLONE_NEWTIME != 0
	b.late = joined&unix.CLONE_NEWPID != 0
	b.mounts = joined&unix.CLONE_NEWNS != 0
	b.unshare = created &^ unix.CLONE_NEWUSER
	if !b.user && !b.joined {
		b.clone = created &^ unix.CLONE_NEWTIME
		if !h.BornInCgroup { // its root would be the parent's cgroup
			b.clone &^= unix.CLONE_NEWCGROUP
		}
		if b.time { // its child is to be pid 1
			b.clone &^= unix.CLONE_NEWPID
		}
		b.unshare = created &^ b.clone
	}
	b.first = joinOrder(joined, h.Permitted)
	return b
}

// joinOrder is the order of kernel.Namespaces. But who has CAP_SYS_ADMIN keeps
// it while others are joined, and joins a user namespace last: the others may
// belong to a user namespace outside of it.
func joinOrder(joined uintptr, permitted uint64) (places []int) {
	user := -1
	for i, n := range kernel.Namespaces {
		switch {
		case joined&uintptr(n.Flag) == 0:
		case n.Flag == unix.CLONE_NEWUSER && permitted&(1<<kernel.CapSysAdmin) != 0:
			user = i
		default:
			places = append(places, i)
		}
	}
	if user >= 0 {
		places = append(places, user)
	}
	return places
}

// namespacesOf gives the flags of the namespaces that are new, and of those with a path.
func namespacesOf(s *specs.Spec) (created, joined uintptr) {
	if s.Linux == nil {
		return 0, 0
	}
	for _, n := range s.Linux.Namespaces {
		k, _ := kernel.NamespaceOf(n.Type)
		if n.Path == "" {
			created |= uintptr(k.Flag)
		} else {
			joined |= uintptr(k.Flag)
		}
	}
	return created, joined
}

// namespaces takes the stage, or its child, into all namespaces.
func (c *compiler) namespaces() {
	b := &c.births
	for _, i := range b.first { // with a new user namespace: while the host's rights are there
		k := kernel.Namespaces[i]
		c.At(c.namespacePath(k.Type))
		c.Do(plan.Setns, c.host.Files.Namespaces[i], k.Flag)
		if k.Flag == unix.CLONE_NEWUSER {
			becomeRoot(c.Plan)
		}
	}
	if b.user {
		c.At("linux.uidMappings")
		c.Do(plan.Unshare, unix.CLONE_NEWUSER)
		c.sync(SyncMaps)
		c.undumpable()
		becomeRoot(c.Plan)
	}
	unshare := b.unshare
	if !b.user && !b.joined { // joinCgroups makes it, once the cgroups are joined
		unshare &^= unix.CLONE_NEWCGROUP
	}
	if unshare != 0 {
		c.At("linux.namespaces")
		c.Do(plan.Unshare, int(unshare))
	}
	if b.time && len(c.spec.Linux.TimeOffsets) > 0 {
		c.At("linux.timeOffsets")
		c.sync(SyncOffsets)
	}
	if b.second() && !b.late {
		c.bear()
	}
}

// becomeRoot takes the ids 0 of a user namespace, where they are mapped: files
// that the stage makes are to belong to the container's root.
func becomeRoot(p *plan.Plan) {
	p.Do(plan.Setgroups, 0, nil).Tolerate(unix.EPERM) // denied in a namespace of an ordinary user's
	p.Do(plan.Setgid, 0).Tolerate(unix.EINVAL)        // not mapped
	p.Do(plan.Setuid, 0).Tolerate(unix.EINVAL)
}

// fork goes on in a child whose parent is minirt, not the stage: that sends the
// child's pid over sync, and ends.
func fork(p *plan.Plan, sync int) {
	pid := p.Register("pid")
	p.Do(plan.Clone, unix.CLONE_PARENT|int(unix.SIGCHLD), 0, 0, 0, 0).To(pid).Set(plan.IfZero)
	clone := p.Last()
	p.Do(plan.Write, sync, plan.Cell(pid), 4)
	p.Do(plan.ExitGroup, 0)
	p.JumpOnSuccess(clone)
}

// bear makes the container's process: a child of minirt's, not of the stage's.
// The stage sends its pid and ends, and the child goes on once that has come.
func (c *compiler) bear() {
	c.At("linux.namespaces")
	fork(c.Plan, c.host.Files.Sync)
	c.Do(plan.Read, c.host.Files.Sync, c.byteIn, 1).Set(plan.ZeroFails) // nothing is said before the pid
	c.Do(plan.Setsid)                                                   // the stage's session loses its leader
}

// lateBirth lets the process be born into a pid namespace that exists already
// only when nothing of the host is in its reach any more: those who live there
// can look into it from its first instant (SEC-03).
func (c *compiler) lateBirth() {
	if c.births.late {
		c.bear()
	}
	c.control()
}

func (c *compiler) namespacePath(t specs.LinuxNamespaceType) string {
	for i, n := range c.spec.Linux.Namespaces {
		if n.Type == t {
			return index("linux.namespaces", i) + ".path"
		}
	}
	return "linux.namespaces"
}

// keyring gives the container a session keyring of its own (keyrings(7)), so
// that it can't read the caller's keys.
func (c *compiler) keyring() {
	if c.host.NewKeyring {
		c.At("runtime.md create")
		c.Do(plan.Keyctl, unix.KEYCTL_JOIN_SESSION_KEYRING, "_ses."+c.host.ID, 0, 0, 0).Tolerate(unix.ENOSYS)
	}
}

// loopback brings up "lo" in a new network namespace, as engines expect.
func (c *compiler) loopback() {
	if created, _ := namespacesOf(c.spec); created&unix.CLONE_NEWNET == 0 {
		return
	}
	const ifreqSize, ifrFlags = 40, 16
	request := make([]byte, ifreqSize)
	copy(request, "lo")
	request[ifrFlags] = unix.IFF_UP
	c.At("linux.namespaces network")
	socket := c.Register("socket")
	c.Do(plan.Socket, unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0).To(socket)
	c.Do(plan.Ioctl, socket, unix.SIOCSIFFLAGS, c.Bytes(request))
	c.Do(plan.Close, socket)
}

// openNamespaces opens the namespaces that have a path, and proves that they
// are of their kind (NS-06).
func (c *creation) openNamespaces() error {
	if c.spec.Linux == nil {
		return nil
	}
	for i, n := range c.spec.Linux.Namespaces {
		k, _ := kernel.NamespaceOf(n.Type)
		if n.Path == "" || c.files[c.host.Files.Namespaces[placeOfKind(k)]] != none {
			continue
		}
		fd, err := unix.Open(n.Path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		path := index("linux.namespaces", i) + ".path"
		if err != nil {
			return &pathError{path, quote(n.Path), err}
		}
		if kind, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE); err != nil || kind != k.Flag {
			unix.Close(fd)
			return &pathError{path, quote(n.Path), text("not a namespace of type " + string(n.Type))}
		}
		c.files[c.host.Files.Namespaces[placeOfKind(k)]] = uintptr(fd)
	}
	return nil
}

func placeOfKind(k kernel.Namespace) int {
	for i := range kernel.Namespaces {
		if kernel.Namespaces[i].Flag == k.Flag {
			return i
		}
	}
	return -1
}
