package lifecycle

import (
	"runtime"
	"strings"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/internal/cgroup"
	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/resctrl"
	"github.com/minirt/minirt/rootfs"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// sight is what create saw before it touched anything.
type sight struct {
	bundle *bundles.Bundle
	spec   *specs.Spec
	host   Host
	layout *cgroup.Layout // nil where no cgroup is to be made
	group  *cgroup.Group
	scope  *scope // nil where the cgroups are made by files
	early  []cgroup.Write
	late   []cgroup.Write // device rules and the pids limit: once the stage has made its nodes and forks
	points *mountpoint.Points
	trees  trees
	notify bool // the container has a socket to tell that it is ready
	rdt    *resctrl.Group
}

// see reads the bundle, and finds out what this spec needs to know of the
// host, and nothing more. It changes nothing: Plan is made of it as well.
func (r *Runtime) see(id string, o *CreateOptions, gated bool) (seen *sight, err error) {
	o.Timing.Begin("read config.json")
	dir := o.Bundle
	if dir == "" {
		dir = "."
	}
	b, err := bundles.Open(dir)
	if err != nil {
		return nil, &scene{error: err, bundle: dir}
	}
	v := &sight{bundle: b}
	defer func() { err = v.scene(err) }()
	s, warnings, err := spec.Load(b.Config)
	for _, w := range warnings {
		r.warn(w.Error())
	}
	if err != nil {
		return nil, err
	}
	v.spec = s
	o.decideTerminal(s)
	if faults := r.refuse(s); len(faults) > 0 {
		return nil, placed(faults, b.Config)
	}
	if err := provenProcfs(s); err != nil {
		return nil, err
	}
	o.Timing.Begin("look at the host")
	v.seeNotify(r)
	if err := r.seeCgroups(v, id); err != nil {
		return nil, err
	}
	if err := v.seeRdt(id); err != nil {
		return nil, err
	}
	v.seeProcess(id, o)
	if v.host.Traced, err = o.traces(s); err != nil {
		return nil, v.locate(err)
	}
	v.number(o, gated)
	v.host.listen(o.ListenFDs)
	o.Timing.Begin("look at the root")
	if err := v.seeRoot(r, id, o); err != nil {
		return nil, err
	}
	return v, nil
}

// placed gives faults that were found after Load their line and column.
func placed(faults spec.Faults, config []byte) error {
	for i := range faults {
		f := &faults[i]
		f.Line, f.Column, _ = spec.Place(config, f.Path)
	}
	return faults
}

// seeProcess finds out what the chapters of the process need.
func (v *sight) seeProcess(id string, o *CreateOptions) {
	h := &v.host
	h.ID, h.NewKeyring = id, !o.NoNewKeyring
	h.Arch, _ = plan.ArchOf(runtime.GOARCH)
	h.Umask = unix.Umask(0)
	unix.Umask(h.Umask)
	h.LastCapability, h.Permitted = capabilitiesHere()
	h.Landlock = landlockABI(v.spec)
	p := v.spec.Process
	if p == nil {
		return
	}
	for _, l := range p.Rlimits {
		var now unix.Rlimit
		if n, ok := kernel.Rlimit(l.Type); ok && unix.Prlimit(0, n, nil, &now) == nil {
			h.HardLimits[n] = now.Max
		}
	}
}

// capabilitiesHere asks for the kernel's last capability and the caller's permitted ones.
func capabilitiesHere() (last int, permitted uint64) {
	last = kernel.LastCapability
	for has(last + 1) {
		last++
	}
	for last > 0 && !has(last) {
		last--
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&head, &data[0]) != nil {
		return last, 0
	}
	return last, uint64(data[0].Permitted) | uint64(data[1].Permitted)<<32
}

// has tells whether the kernel knows a capability.
func has(capability int) bool {
	_, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(capability), 0, 0, 0)
	return err == nil
}

// number deals out the numbers of the stage's descriptors.
func (v *sight) number(o *CreateOptions, gated bool) {
	f := &v.host.Files
	f.First = 3 + o.ListenFDs + o.PreserveFDs
	next := f.First
	take := func() int { next++; return next - 1 }
	f.Sync, f.Gate, f.Report = take(), -1, -1
	if gated {
		f.Gate, f.Report = take(), take()
	}
	if listens(v.spec) || v.host.Traced != 0 {
		f.Listener = take()
	}
	_, joined := namespacesOf(v.spec)
	for i, n := range kernel.Namespaces {
		f.Namespaces[i] = -1
		if joined&uintptr(n.Flag) != 0 {
			f.Namespaces[i] = take()
		}
	}
	if o.Timing != nil {
		f.Stamps, v.host.StampEach = take(), o.Timing.EachStep
	}
	f.next = next
}

// seeRoot resolves what the root file system needs.
func (v *sight) seeRoot(r *Runtime, id string, o *CreateOptions) error {
	s, h := v.spec, &v.host
	created, joined := namespacesOf(s)
	all := created | joined
	f := &h.Rootfs
	f.Root, f.Bundle = v.bundle.Rootfs(s.Root.Path), v.bundle.Dir
	f.MountNamespace = all&unix.CLONE_NEWNS != 0
	f.UserNamespace = all&unix.CLONE_NEWUSER != 0 || inUserNamespace() // of an engine (rootless Podman): no node can be made there either
	if f.UserNamespace {
		h.SetgroupsDenied = setgroupsDenied(s, h.Permitted)
	}
	f.CgroupNamespace = all&unix.CLONE_NEWCGROUP != 0
	f.NoPivot = o.NoPivot
	f.OpenTreeAttr = hasOpenTreeAttr()
	if v.group != nil {
		for _, d := range v.group.Dirs {
			f.Cgroups = append(f.Cgroups, rootfs.Hierarchy{Name: d.Name, Source: d.Path})
			for _, c := range d.Controllers {
				if c != d.Name && strings.Contains(d.Name, ",") {
					f.Aliases = append(f.Aliases, rootfs.Alias{Name: c, Target: d.Name})
				}
			}
		}
	}
	var err error
	uid, gid := rootOwner(s)
	look := mountpoint.Look
	if o.foresee && absent(f.Root) {
		r.warn("root.path: " + quote(f.Root) + " is not there yet: the plan is that for an empty one")
		look = mountpoint.Foresee
	}
	if v.points, err = look(s, f, uid, gid); err != nil {
		return v.locate(err)
	}
	v.nameNotify(r, id)
	v.seeTrees()
	h.Home = v.home()
	return nil
}

// hasOpenTreeAttr tells whether the kernel has open_tree_attr(2), Linux 6.15.
func hasOpenTreeAttr() bool {
	const number = 467
	_, _, errno := unix.RawSyscall6(number, ^uintptr(0), 0, 0, 0, 0, 0)
	return errno != unix.ENOSYS
}
