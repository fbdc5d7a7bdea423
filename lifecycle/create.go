package lifecycle

import (
	"strconv"
	"strings"
	"time"

	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/minirt/minirt/internal/stage"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Create makes a container from a bundle, up to its gate (runtime.md, Create).
// On an error nothing of it is left.
func (r *Runtime) Create(id string, o CreateOptions) (err error) {
	defer wrap("create", id, &err)
	defer o.Timing.end()
	o.detach = true
	c, err := r.create(id, &o, true)
	if err != nil {
		return err
	}
	defer c.close()
	defer c.outlets.close()
	defer c.log.close()
	return c.scene(c.acknowledge())
}

// creation is a container while it is being created.
type creation struct {
	*Runtime
	*sight
	*container
	options  *CreateOptions
	outlets  *outlets
	log      logging
	plan     *Compiled
	undo     undo
	files    []uintptr // the stage's descriptors, by number
	sync     int       // our end of the stage's socket
	report   int       // the FIFO for start, where we read it, too; else -1
	pidfd    int       // the container's process
	moves    netMoves  // of network devices
	tracer   *tracer   // of refused calls; nil where nobody asks
	poststop bool      // a hook of create has failed: poststop is due
}

// none is no descriptor, in the list of the stage's (syscall.ProcAttr.Files).
const none = ^uintptr(0)

// create does all that comes before the parent's last acknowledgement: the
// container's process waits, and its end is still in the undo list.
func (r *Runtime) create(id string, o *CreateOptions, gated bool) (made *creation, err error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	v, err := r.see(id, o, gated)
	if err != nil {
		return nil, err
	}
	defer v.points.Close()
	defer func() { err = v.scene(err) }()
	o.Timing.Begin("open sockets")
	if err := o.Log.check(o.detach, o.ConsoleSocket); err != nil {
		return nil, err
	}
	logs := o.Log.Driver != ""
	out, err := openOutlets(v.spec.Process, o.ConsoleSocket, o.PIDFDSocket, o.detach && !logs)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			out.close()
		}
	}()
	out.logged = logs
	if err := out.dialAgent(v.spec); err != nil {
		return nil, v.locate(err)
	}
	c := &creation{Runtime: r, sight: v, options: o, outlets: out, sync: -1, report: -1, pidfd: -1}
	if err := c.compile(); err != nil {
		return nil, err
	}
	defer c.closeFiles()
	if err := c.claim(id, gated); err != nil {
		return nil, err
	}
	for _, do := range c.order() {
		if err = do(); err != nil {
			return nil, c.fail(err)
		}
	}
	return c, nil
}

// order lists what is to be done. The stage is started first, and makes its
// mounts while we make its cgroups, which it waits for, and then the files that
// nobody waits for: unless it would miss something that must be there before.
func (c *creation) order() []func() error {
	if c.scope != nil {
		return c.orderOfScope()
	}
	if len(c.Points) > 0 || !c.trees.none() || c.plan.Births || !c.host.Rootfs.MountNamespace {
		return []func() error{c.record, c.makeNotify, c.makeBirthplace, c.makeCgroups, c.makePoints, c.makeTrees,
			c.launch, c.admit, c.keepFiles, c.serve, c.settle}
	}
	rest := []func() error{c.makeCgroups, c.admit, c.keepFiles, c.serve, c.settle}
	if c.notify || c.group != nil && c.group.HasV2() {
		return append([]func() error{c.record, c.makeNotify, c.makeBirthplace, c.launch}, rest...)
	}
	return append([]func() error{c.makeBirthplace, c.launch, c.record}, rest...) // a stage leaves nothing to record
}

// compile makes the plan.
func (c *creation) compile() (err error) {
	c.phase("compile the plan")
	if c.plan, err = Compile(c.spec, &c.host); err != nil {
		return c.locate(err)
	}
	for _, w := range c.plan.Warnings {
		c.warn(w)
	}
	return nil
}

// fail takes everything back, and runs the poststop hooks that a failed hook
// makes due (LC-20).
func (c *creation) fail(err error) error {
	c.options.Timing.stageEnded()
	c.phase("take it back")
	if c.sync >= 0 {
		unix.Close(c.sync) // a stage that waits for us ends
	}
	if c.deleted(err) {
		err = text("the container was deleted while it was created")
	}
	hooks := c.spec.Hooks
	state := c.container.state(specs.StateStopped).AppendJSON(nil, "")
	if e := c.undo.all(); e != nil {
		err = &halfUndone{err, e}
	}
	if c.poststop && hooks != nil {
		if e := runHooks(poststop, hooks.Poststop, state, startHook(c.bundle.Dir)); e != nil {
			c.warn(e.Error())
		}
	}
	return c.locate(err)
}

// deleted tells whether create fails because somebody has deleted the
// container, or is about it: files of its directory are gone.
func (c *creation) deleted(err error) bool {
	r, ok := err.(*reason)
	return c.removed() || ok && r.cause == unix.ENOENT && strings.HasPrefix(r.what, c.path+"/")
}

// claim takes the id and records what is about to be made.
func (c *creation) claim(id string, gated bool) error {
	c.phase("claim the id")
	d, err := c.Runtime.claim(id)
	if err != nil {
		return err
	}
	c.container = &container{dir: d}
	c.undo.add(func() error { err := d.remove(); d.close(); return err })
	c.Record = &Record{
		OCIVersion: Version, ID: id, Bundle: c.bundle.Dir, Rootfs: c.host.Rootfs.Root,
		Created: time.Now().UTC().Format(time.RFC3339Nano), Annotations: c.spec.Annotations,
		Creator: procOf(unix.Getpid()), Points: c.points.Missing(),
	}
	c.Program = c.spec.Process != nil && len(c.spec.Process.Args) > 0
	created, _ := namespacesOf(c.spec)
	c.NewPID = created&unix.CLONE_NEWPID != 0
	c.OldKeyring = !c.host.NewKeyring
	if h := c.spec.Hooks; h != nil {
		c.Hooks = len(h.StartContainer)+len(h.Poststart)+len(h.Poststop) > 0
	}
	if c.group != nil {
		if err := c.group.Survey(); err != nil {
			return c.fail(err)
		}
		c.recordScope()
		c.setGroup(c.group)
	}
	c.noteRdt()
	if err := c.noteMounts(); err != nil {
		return c.fail(err)
	}
	if err := c.makeGate(gated); err != nil {
		return c.fail(err)
	}
	if err := c.openLog(); err != nil {
		return c.fail(err)
	}
	return nil
}

// record writes what is about to be made: of a container that isn't created, and
// so without the process that the stage may be already.
func (c *creation) record() error {
	c.phase("write state.json")
	r := *c.Record
	r.Process = Proc{}
	return c.write(&r)
}

// keepFiles keeps what later verbs may need to read: the config's own bytes, and
// the words of the steps behind the gate.
func (c *creation) keepFiles() error {
	c.phase("keep config.json")
	err := c.keep(configFile, c.bundle.Config)
	if err == nil && c.host.Files.Gate >= 0 {
		err = c.keep(wordsFile, c.plan.gateWords(c.spec).appendJSON(nil))
	}
	return err
}

// makeGate makes the FIFOs. Both ends are the stage's: it reads the gate and
// never sees its end, and can write its report when nobody listens.
func (c *creation) makeGate(gated bool) error {
	c.files = make([]uintptr, c.host.Files.next)
	for i := range c.files {
		if c.files[i] = none; i < c.host.Files.First {
			c.files[i] = uintptr(i)
		}
	}
	if !gated {
		return nil
	}
	c.Deaf = c.host.Files.Listener > 0
	for _, f := range [...]struct {
		name   string
		number int
	}{{gateFile, c.host.Files.Gate}, {reportFile, c.host.Files.Report}} {
		if err := unix.Mknodat(c.fd, f.name, unix.S_IFIFO|0o600, 0); err != nil {
			return because(c.path+"/"+f.name, err)
		}
		fd, err := unix.Openat(c.fd, f.name, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return because(c.path+"/"+f.name, err)
		}
		c.files[f.number] = uintptr(fd)
	}
	return nil
}

// makePoints makes what the mounts need on the bundle's root file system.
func (c *creation) makePoints() error {
	c.phase("make mount points")
	c.undo.add(func() error { return mountpoint.Remove(c.Rootfs, c.Points) })
	c.undo.add(func() error { return mountpoint.Unmount(c.Rootfs, c.Mounts) }) // before that: they lie on the points
	return c.points.Make()
}

// imageOf is stage.Image; tests let steps fail in what it gives.
var imageOf = stage.Image

// settle is what follows when the stage is ready: rules that would have
// hindered it, and the record. The acknowledgement is still to come.
func (c *creation) settle() error {
	c.phase("settle")
	if err := c.reschedule(); err != nil {
		return err
	}
	if p := c.spec.Process; p != nil && p.OOMScoreAdj != nil {
		name := "/proc/" + strconv.Itoa(c.Process.PID) + "/oom_score_adj"
		if err := writeTo(name, strconv.Itoa(*p.OOMScoreAdj)); err != nil {
			return &pathError{"process.oomScoreAdj", strconv.Itoa(*p.OOMScoreAdj), err}
		}
	}
	if err := c.settleScope(); err != nil {
		return err
	}
	if c.group != nil {
		if err := c.applyLate(); err != nil {
			return err
		}
	}
	c.warnOfKernelMemory()
	if err := c.enterRdt(); err != nil {
		return err
	}
	if err := c.delegate(); err != nil {
		return err
	}
	c.Process.Birth = birth(c.pidfd, c.Process.PID)
	if c.group != nil {
		c.setGroup(c.group) // as it was made: another may have made a part of it since
	}
	if err := c.startLog(); err != nil {
		return err
	}
	if err := c.write(c.Record); err != nil {
		return err
	}
	if err := c.outlets.handOver(c.pidfd); err != nil {
		return err
	}
	if err := c.giveListener(c.outlets, c.spec, c.Process.PID, specs.StateCreating); err != nil {
		return err
	}
	if c.options.detach {
		c.leaveShortcut()
	}
	return c.writePIDFile()
}

// acknowledge lets the created container live without us.
func (c *creation) acknowledge() error {
	c.phase("acknowledge")
	if _, err := unix.Write(c.sync, []byte{1}); err != nil {
		return c.fail(c.lastWords(because("the container's process has gone", err)))
	}
	c.options.Timing.stageEnded() // what it does now is start's
	unix.Close(c.sync)
	unix.Close(c.pidfd)
	c.closeReport()
	return nil
}

// writePIDFile writes the process's number, without a newline, in one piece.
func (c *creation) writePIDFile() error {
	name := c.options.PIDFile
	if name == "" {
		return nil
	}
	if err := replaceAt(unix.AT_FDCWD, name, 0o644, strconv.AppendInt(nil, int64(c.Process.PID), 10)); err != nil {
		return on("--pid-file", name, "pid file "+name, err)
	}
	c.undo.add(func() error { unix.Unlink(name); return nil })
	return nil
}
