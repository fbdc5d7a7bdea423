package lifecycle

import (
	"errors"
	"strconv"
	"syscall"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/internal/cgroup"
	"github.com/minirt/minirt/internal/stage"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// ExecOptions tell Exec what to run in a container, and how.
type ExecOptions struct {
	Process        string   // a file with the process object of config.md: used as it is; what follows up to ProcessLabel is then of no meaning
	Args           []string // the program and its arguments
	Cwd            string   // instead of the config's process.cwd
	Env            []string // "NAME=VALUE", beside and instead of the config's
	User           string   // "UID" or "UID:GID", instead of the config's; see ParseUser
	AdditionalGids []uint32 // beside those of the user
	Caps           []string // beside the config's: bounding, effective and permitted, never inheritable (SEC-11)
	NoNewPrivs     bool     // also if the config doesn't ask for it
	TTY            bool     // give it a terminal, whatever the config says
	AppArmor       string   // instead of the config's profile
	ProcessLabel   string   // instead of the config's SELinux label

	Detach        bool     // return as soon as the program runs
	PIDFile       string   // gets the process's id in decimal digits, once the program runs, and never otherwise
	ConsoleSocket string   // a stream socket that gets the terminal's master descriptor
	PIDFDSocket   string   // a stream socket that gets a pidfd of the process
	PreserveFDs   int      // this many descriptors from 3 on are handed to the process
	Cgroup        []string // "PATH" or "CONTROLLER,…:PATH": cgroups below the container's own to join instead
	IgnorePaused  bool     // also in a paused container: the process then waits, and so does the caller
	Timing        *Timing  // gets where the time went; nil where nobody asks
}

// NotStarted is the exit status of an exec whose program never ran.
const NotStarted = 255

// Exec runs one more program in a container. It gives the program's exit
// status: 128 and the signal's number, if a signal ended it; NotStarted with an
// error if it did not run. Signals that reach the caller meanwhile are passed
// on. With Detach it returns 0 as soon as the program runs.
func (r *Runtime) Exec(id string, o ExecOptions) (status int, err error) {
	defer wrap("exec", id, &err)
	defer o.Timing.end()
	o.Timing.Begin("look at the container")
	c, err := r.load(id)
	if err != nil {
		return NotStarted, err
	}
	defer c.close()
	e := &entrance{Runtime: r, container: c, options: &o, target: -1, sync: -1, pidfd: -1, still: -1}
	defer e.release()
	if err := e.look(); err != nil {
		return NotStarted, err
	}
	if err := e.enter(); err != nil {
		return NotStarted, e.scene(e.cause(err))
	}
	if o.Detach {
		return 0, nil
	}
	o.Timing.Begin("the program")
	return e.attend(), nil
}

// executable refuses containers in which nothing can be run.
func executable(s specs.ContainerState, ignorePaused bool) error {
	switch {
	case s == specs.StateStopped:
		return wrongStatus{"cannot exec in a stopped container", s}
	case s == StatusPaused && !ignorePaused:
		return wrongStatus{errPaused, s}
	case s == specs.StateCreating:
		return wrongStatus{"cannot exec in a container that is being created", s}
	}
	return nil
}

// entrance is a process on its way into a container.
type entrance struct {
	*Runtime
	*container
	options  *ExecOptions
	spec     *specs.Spec // the container's, with the process that is to run
	host     Host
	flags    uintptr // CLONE_NEW flags of the namespaces to join
	joined   *cgroup.Group
	attached bool // systemd moves the process, as the caller may not
	plan     *Compiled
	files    []uintptr
	out      *outlets
	target   int // pidfd of the container's process
	sync     int // our end of the stage's socket
	pid      int // the stage, later the process that it has borne
	pidfd    int // of pid
	still    int // holds off pause; -1 if not
}

// cause tells a race with the container's end from other failures.
func (e *entrance) cause(err error) error {
	if errors.Is(err, unix.ESRCH) || !e.Process.alive() || exiting(e.Process.PID) {
		return because("cannot exec in a stopped container: it has ended meanwhile", err)
	}
	return err
}

// release gives up what enter has opened.
func (e *entrance) release() {
	for _, fd := range [...]int{e.target, e.sync, e.pidfd, e.still} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	e.out.close()
}

// enter does all up to the program's execve(2).
func (e *entrance) enter() error {
	for _, do := range [...]func() error{e.open, e.see, e.compile, e.launch, e.admit, e.witness, e.writePIDFile} {
		if err := do(); err != nil {
			e.end()
			return err
		}
	}
	return nil
}

// look refuses what executable refuses, and holds off pause until the stage runs.
func (e *entrance) look() (err error) {
	if !e.options.IgnorePaused {
		if e.still, err = e.hold(unix.LOCK_SH); err != nil {
			return err
		}
	}
	return executable(e.status(), e.options.IgnorePaused)
}

// open holds the container's process, so that no other can take its number.
func (e *entrance) open() (err error) {
	e.target, err = e.Process.open()
	return err
}

// see finds out what the plan needs to know.
func (e *entrance) see() (err error) {
	e.phase("read config.json")
	config, err := e.container.config()
	if err != nil {
		return err
	}
	p, err := e.process(config)
	if err != nil {
		return err
	}
	if faults := refuseProcess(p); len(faults) > 0 {
		return faults
	}
	e.phase("look at the host")
	s := *config
	s.Process = p
	e.spec = &s
	v := sight{bundle: &bundles.Bundle{Dir: e.Bundle}, spec: e.spec}
	v.host.Rootfs.Root = e.Rootfs
	v.seeProcess(e.ID, &CreateOptions{NoNewKeyring: e.OldKeyring})
	v.host.Home = v.home()
	e.host = v.host
	if e.flags, err = e.namespaces(config); err != nil {
		return err
	}
	e.host.SetgroupsDenied = setgroupsOf(strconv.Itoa(e.Process.PID)) == "deny"
	if err := e.cgroups(); err != nil {
		return err
	}
	f := &e.host.Files
	f.First = 3 + e.options.PreserveFDs
	f.Sync, f.Gate, f.Report = f.First, -1, -1
	f.next = f.First + 2
	if e.out, err = openOutlets(p, e.options.ConsoleSocket, e.options.PIDFDSocket, e.options.Detach); err != nil {
		return err
	}
	if listens(e.spec) {
		f.Listener = f.Sync + 1 // where the pidfd has been
	}
	if t := e.options.Timing; t != nil {
		f.Stamps, e.host.StampEach = f.next, t.EachStep
		f.next++
	}
	return e.out.dialAgent(e.spec)
}

// namespaces gives the namespaces to join: those of the container, less those
// with a path that are the caller's own, which nobody can join again.
func (e *entrance) namespaces(config *specs.Spec) (flags uintptr, err error) {
	created, joined := namespacesOf(config)
	flags = created
	for _, n := range namespacesIn(joined) {
		same, err := sharedNamespace(e.Process.PID, n.File)
		if err != nil {
			return 0, err
		}
		if !same {
			flags |= uintptr(n.Flag)
		}
	}
	return flags, nil
}

func (e *entrance) compile() (err error) {
	e.phase("compile the plan")
	e.plan, err = compileExec(e.spec, &e.host, e.flags, e.Rootfs)
	if err != nil {
		return err
	}
	for _, w := range e.plan.Warnings {
		e.warn(w)
	}
	return nil
}

// launch starts the stage in the cgroup of version 2.
func (e *entrance) launch() error {
	e.phase("write the image")
	fd, err := seal(e.plan.Plan, e.path)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	defer unix.Close(theirs)
	e.sync = ours
	e.files = make([]uintptr, e.host.Files.next)
	for i := range e.host.Files.First {
		e.files[i] = uintptr(i)
	}
	e.files[e.host.Files.Sync], e.files[e.host.Files.Sync+1] = uintptr(theirs), uintptr(e.target)
	if err := e.options.Timing.share(e.plan, e.files, e.host.Files.Stamps); err != nil {
		return err
	}
	e.phase("clone and execve")
	e.options.Timing.stageBorn()
	p, err := e.start(fd)
	if err != nil {
		return because("start the stage", err)
	}
	e.pid, e.pidfd = p.PID, p.PIDFD
	e.options.Timing.bears(p.PID)
	unix.Close(e.still)
	e.still = -1
	return nil
}

// writePIDFile writes the process's number, without a newline, in one piece.
func (e *entrance) writePIDFile() error {
	name := e.options.PIDFile
	if name == "" {
		return nil
	}
	if err := replaceAt(unix.AT_FDCWD, name, 0o644, strconv.AppendInt(nil, int64(e.pid), 10)); err != nil {
		return on("--pid-file", name, "pid file "+name, err)
	}
	return nil
}

// end kills what was started, and reaps it.
func (e *entrance) end() {
	e.options.Timing.stageEnded()
	e.phase("take it back")
	if e.pid > 0 {
		unix.PidfdSendSignal(e.pidfd, unix.SIGKILL, nil, 0)
		wait(e.pid)
	}
}

// attend waits for the process's end, and passes signals on to it until then.
func (e *entrance) attend() int {
	var ws syscall.WaitStatus
	if e.out.foreground() {
		ws = e.out.attend(e.pid, e.pidfd, e.path)
	} else {
		stage.Relay(e.pidfd, jobControl...)
		ws = wait(e.pid)
	}
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}
