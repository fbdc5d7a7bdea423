package hot

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/lifecycle"
)

// Run is the verb "run".
type Run struct {
	Making
	Detach      bool   `name:"detach" short:"d" help:"Return as soon as the program runs."`
	Keep        bool   `name:"keep" help:"Leave the stopped container."`
	NoSubreaper bool   `name:"no-subreaper" help:"Don't become the parent of processes whose parent has ended."`
	TraceDenied string `name:"trace-denied" placeholder:"FILE" optional:"" help:"Tell at the end which system calls the seccomp profile has refused, and what would allow them: on standard error, or in FILE; as JSON, if its name ends in .json."`
}

func (*Run) Help() string {
	return `Creates a container and starts it; waits for its end, passes signals on to it meanwhile, deletes it, and ends with its exit status.`
}

func (*Run) Example() string {
	return `minirt run --bundle hello web
minirt run --detach --pid-file web.pid --bundle hello web
minirt run --trace-denied --bundle hello web`
}

func (f *Run) Run(r *lifecycle.Runtime) (status int, err error) {
	o := lifecycle.RunOptions{
		CreateOptions: f.Options(),
		Detach:        f.Detach,
		Keep:          f.Keep,
		NoSubreaper:   f.NoSubreaper,
	}
	if f.TraceDenied == "" {
		return r.Run(f.NewID, o)
	}
	return f.traced(r, o)
}

// traced runs the container, and tells what was refused, even if it ends with an error.
func (f *Run) traced(r *lifecycle.Runtime, o lifecycle.RunOptions) (status int, err error) {
	report := unix.Stderr
	if f.TraceDenied != Alone {
		report, err = unix.Open(f.TraceDenied, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC|unix.O_NOCTTY, 0o644)
		if err != nil {
			return 1, &lifecycle.Error{Verb: "run", ID: f.NewID, Err: UsageError("--trace-denied: " + strconv.Quote(f.TraceDenied) + ": " + err.Error())}
		}
	}
	o.Denials = new(lifecycle.Denials)
	status, err = r.Run(f.NewID, o)
	if !o.Denials.Traced && err != nil {
		return status, err
	}
	var text []byte
	if strings.HasSuffix(f.TraceDenied, ".json") {
		text = o.Denials.AppendJSON(nil)
	} else {
		text = o.Denials.AppendText(nil)
	}
	for len(text) > 0 {
		n, e := unix.Write(report, text)
		if e != nil && e != unix.EINTR {
			if err == nil {
				err = &lifecycle.Error{Verb: "run", ID: f.NewID, Err: UsageError("--trace-denied: " + e.Error())}
			}
			break
		}
		text = text[max(n, 0):]
	}
	return status, err
}
