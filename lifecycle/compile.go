package lifecycle

import (
	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/seccomp"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Host is all that Compile needs to know beside config.json: what look.go found
// out, and which descriptors the stage will be born with.
type Host struct {
	Arch            plan.Arch
	ID              string
	LastCapability  int          // /proc/sys/kernel/cap_last_cap
	Permitted       uint64       // the caller's permitted capabilities
	Umask           int          // the caller's
	Home            string       // for HOME, where process.env has none
	Variables       []string     // of the environment, instead of those in process.env
	NewKeyring      bool         // join a new session keyring
	Tasks           []string     // the tasks files of the container's cgroups of version 1
	BornInCgroup    bool         // clone puts the stage into a cgroup of version 2, and there is no other
	Moved           bool         // the stage waits until it has been moved into its cgroups (systemd)
	SetgroupsDenied bool         // setgroups(2) is, in the user namespace that the process will be in
	HardLimits      [16]uint64   // the caller's hard limits, by resource
	AppArmor        bool         // the kernel has it
	SELinux         bool         // the kernel has it
	Landlock        int          // the version of the kernel's ABI for it; 0 if it has none, or isn't asked
	StampEach       bool         // with Files.Stamps: before each step, not only where the origin changes
	Traced          uint32       // SECCOMP_FILTER_FLAG_ bits with which what the filter refuses is left to minirt itself; 0 if it isn't
	Files           Files        // the stage's descriptors
	Rootfs          rootfs.Facts // the root file system
}

// Files are the numbers of the stage's descriptors; -1 for those it hasn't.
type Files struct {
	Sync       int    // socket of records to the parent; later its number is the report's
	Gate       int    // FIFO that opens the gate
	Report     int    // FIFO for what start reads
	Listener   int    // what seccomp(2) will give, behind numbers that are all in use; 0 for none
	Stamps     int    // memory for the plan's stamps; 0 if nobody wants to know where the time goes
	Namespaces [8]int // of the namespaces to join, by their place in kernel.Namespaces
	First      int    // the first that isn't for the program: from here on all are close-on-exec
	next       int    // the first number that is free
}

// reports is the descriptor for failures. Behind its filter the stage can't move
// another one to that number, as it does at a gate without (gate.go).
func (f *Files) reports() int {
	if f.Listener > 0 && f.Gate >= 0 {
		return f.Report
	}
	return f.Sync
}

// SyncKind is a reason for which the stage stops and waits for its parent.
type SyncKind uint8

// The stage sends the kind as one byte, and goes on when one byte comes back.
const (
	SyncMaps     SyncKind = 'm' // write the id maps of the user namespace
	SyncOffsets  SyncKind = 't' // write the offsets of the time namespace
	SyncHooks    SyncKind = 'h' // mounts exist, the root is still the host's: run hooks
	SyncListener SyncKind = 'l' // the filter is about to be loaded: take its listener
	SyncReady    SyncKind = 'r' // all is made: the container is created
)

// Compiled is a plan with what its parent needs to know.
type Compiled struct {
	*plan.Plan
	Namespaces uintptr    // CLONE_NEW flags of the namespaces that the stage is born in
	Births     bool       // the container's process is a second one, whose pid is sent
	Syncs      []SyncKind // in order
	Gate       int        // the first step behind the gate
	Stamps     []plan.Stamp
	Warnings   []string
}

// compiler is the state of one compilation.
type compiler struct {
	*Compiled
	spec   *specs.Spec
	host   *Host
	births births
	filter *seccomp.Filter
	byteIn plan.Cell     // where the parent's byte goes
	proc   plan.Register // procfs of the stage's own; 0 until it is needed
	named  []namedRegister
}

type namedRegister struct {
	name string
	plan.Register
}

// register gives the register of that name, the same each time.
func (c *compiler) register(name string) plan.Register {
	for _, r := range c.named {
		if r.name == name {
			return r.Register
		}
	}
	c.named = append(c.named, namedRegister{name, c.Register(name)})
	return c.named[len(c.named)-1].Register
}

// Compile turns a configuration into the plan of the container's first
// process. It is pure: the same values give the same plan on every machine.
//
// The order of the chapters is the one in which the kernel takes them
// (capabilities(7), user_namespaces(7)): rights of the host first, the root file system
// before what only the container sees, credentials last but for the filter.
func Compile(s *specs.Spec, h *Host) (*Compiled, error) {
	c := &compiler{Compiled: &Compiled{Plan: plan.New(h.Arch, h.Files.reports())}, spec: s, host: h, births: birthsOf(s, h)}
	c.Namespaces, c.Births = c.births.clone, c.births.second()
	c.byteIn = c.Buffer("byte", make([]byte, 8))

	c.session()
	c.borrowProcfs()
	if c.births.early() {
		c.joinCgroups()
		c.scheduling()
	}
	c.namespaces()
	c.keyLabel()
	c.keyring()
	c.loopback()
	facts := h.Rootfs
	if !c.births.early() {
		facts.Join = c.joinCgroups
	}
	root := rootfs.Enter(c.Plan, s, &facts)
	if !c.births.early() {
		c.scheduling() // a real-time process can't join a cgroup of version 1 that has no realtimeRuntime
	}
	c.netDevices()
	c.hooks()
	c.terminal(root.Root(), root.Console)
	rootfs.Pivot(c.Plan, s, &facts, root)
	c.names()
	c.sysctls()
	c.labels()
	c.closeProcfs()
	if s.Process != nil {
		if err := c.process(s.Process); err != nil {
			return nil, err
		}
	}
	c.forget()
	c.lateBirth()
	before := c.heed()
	c.ready()
	c.gate(before)
	c.execute()
	c.stamp()
	return c.Compiled, c.Err()
}

// session makes the stage the leader of a session of its own (SEC-35: no
// terminal of the caller's stays in reach) and gives it a name for ps.
func (c *compiler) session() {
	c.At("runtime.md create")
	c.Do(plan.Setsid)
	c.Do(plan.Prctl, prSetName, "minirt:stage")
	c.Do(plan.Umask, 0)
	if !c.births.user {
		c.undumpable()
	}
}

// undumpable keeps processes of the same user from looking into the stage
// (SEC-36). With a new user namespace only once its maps are written: before,
// the parent could not open them any more.
func (c *compiler) undumpable() { c.Do(plan.Prctl, prSetDumpable, 0) }

// joinCgroups puts the stage into the container's cgroups of version 1: only a
// process that writes "0" to its own tasks file joins without waiting for RCU.
// The parent makes them while the stage mounts, and says when they are there; in
// a user namespace the stage could not join any more, so it joins before.
func (c *compiler) joinCgroups() {
	created, _ := namespacesOf(c.spec)
	c.At("linux.cgroupsPath")
	if len(c.host.Tasks) > 0 || c.host.Moved {
		c.Do(plan.Read, c.host.Files.Sync, c.byteIn, 1).Set(plan.ZeroFails)
		c.enterCgroups()
	}
	if created&unix.CLONE_NEWCGROUP != 0 && !c.births.user && !c.births.joined && c.births.unshare&unix.CLONE_NEWCGROUP != 0 {
		c.At("linux.namespaces")
		c.Do(plan.Unshare, unix.CLONE_NEWCGROUP)
	}
}

// sync stops until the parent has done what kind asks for.
func (c *compiler) sync(kind SyncKind) {
	c.Syncs = append(c.Syncs, kind)
	c.Do(plan.Write, c.host.Files.Sync, string(rune(kind)), 1)
	c.Do(plan.Read, c.host.Files.Sync, c.byteIn, 1).Set(plan.ZeroFails)
}

// hooks stops where the createContainer hooks run: before pivot_root(2).
func (c *compiler) hooks() {
	if h := c.spec.Hooks; h != nil && len(h.Prestart)+len(h.CreateRuntime)+len(h.CreateContainer) > 0 { //nolint:staticcheck // prestart is deprecated, and still a MUST
		c.At("hooks")
		c.sync(SyncHooks)
	}
}

// forget closes all that the stage needed to get here, before those who live in
// a pid namespace that it joins can look at it (SEC-03): what is left at the gate
// is the gate, the report, and what the program is to have.
func (c *compiler) forget() {
	f := c.host.Files
	c.At("runtime.md lifecycle 2")
	c.Do(plan.CloseRange, max(f.Sync, f.Gate, f.Report)+1, -1, 0)
}

// ready closes what the program must not have (SEC-15, SEC-34), and tells the parent that the
// container is created. A parent that has died meanwhile ends the stage. A filter
// with a listener is loaded before: the agent is to have that by then.
func (c *compiler) ready() {
	c.At("runtime.md lifecycle 2")
	c.Do(plan.CloseRange, c.host.Files.First, -1, closeRangeCloexec)
	if c.host.Files.Listener > 0 {
		c.handOver(c.spec.Process)
		c.At("runtime.md lifecycle 2")
	}
	c.sync(SyncReady)
}

// capabilityWarning words a capability that can't be granted (CP-02).
func capabilityWarning(set string, number int) string {
	return "process.capabilities." + set + ": " + kernel.CapabilityName(number) + " can't be granted here"
}
