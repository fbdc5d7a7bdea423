package hot

import (
	"strings"

	"github.com/minirt/minirt/lifecycle"
)

// Run is the verb "run".
type Run struct {
	Making
	Detach      bool   `name:"detach" short:"d" help:"Return as soon as the program runs."`
	TTY         string `name:"tty" placeholder:"WHEN" enum:"auto,yes,no" default:"auto" help:"Give the program a terminal of its own: yes and no whatever process.terminal says; auto, if it says so, and in the foreground also where input, output and errors are all a terminal."`
	Keep        bool   `name:"keep" help:"Leave the stopped container."`
	Remove      bool   `name:"rm" help:"Remove the stopped container, as is done without --keep, too."`
	NoSubreaper bool   `name:"no-subreaper" help:"Don't become the parent of processes whose parent has ended."`
	TraceDenied string `name:"trace-denied" placeholder:"FILE" optional:"" help:"Tell at the end which system calls the seccomp profile has refused, and what would allow them: on standard error, or in FILE; as JSON, if its name ends in .json, whatever --log-format says."`
}

func (*Run) Help() string {
	return `Creates a container and starts it; waits for its end, passes signals on to it meanwhile, deletes it, and ends with its exit status: 128 and the signal's number, if a signal ended it.

Where a person sits at a terminal, the program has one of its own: every key goes there, and the size follows. It needs a devpts on /dev/pts. Without one, and with --tty=no, ^Z stops minirt, not the container.

With --detach it returns as soon as the program runs. The output may go to a log then (--log-driver), for the verbs logs and wait.`
}

func (*Run) Example() string {
	return `minirt run --bundle hello web
minirt run --detach --pid-file web.pid --bundle hello web
minirt run -d --log-driver file:web.log --log-opt max-size=10m -b hello web
minirt run --trace-denied --bundle hello web
minirt run --timing --bundle hello web`
}

// Check refuses what contradicts itself.
func (f *Run) Check() error {
	switch {
	case f.Remove && f.Keep:
		return UsageError("--rm and --keep contradict each other")
	case f.Remove && f.Detach:
		return UsageError("--rm is for the foreground: nobody waits for the end of a container with --detach; use delete")
	}
	return f.Making.Check()
}

func (f *Run) Run(r *lifecycle.Runtime) (status int, err error) {
	return f.timed("run", f.NewID, func(t *lifecycle.Timing) (int, error) { return f.run(r, t) })
}

func (f *Run) run(r *lifecycle.Runtime, t *lifecycle.Timing) (status int, err error) {
	o := lifecycle.RunOptions{
		CreateOptions: f.Options(),
		Detach:        f.Detach,
		Keep:          f.Keep,
		Terminal:      f.TTY,
		NoSubreaper:   f.NoSubreaper,
	}
	o.Timing = t
	if f.TraceDenied == "" {
		return r.Run(f.NewID, o)
	}
	return f.traced(r, o)
}

// traced runs the container, and tells what was refused, even if it ends with an error.
func (f *Run) traced(r *lifecycle.Runtime, o lifecycle.RunOptions) (status int, err error) {
	report, err := openReport("--trace-denied", f.TraceDenied, "run", f.NewID)
	if err != nil {
		return 1, err
	}
	o.Denials = new(lifecycle.Denials)
	status, err = r.Run(f.NewID, o)
	if !o.Denials.Traced && err != nil {
		report.close()
		return status, err
	}
	if strings.HasSuffix(f.TraceDenied, ".json") {
		return status, report.tell(o.Denials.AppendJSON(nil), err)
	}
	return status, report.tell(o.Denials.AppendText(nil), err)
}
