package hot

import (
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/lifecycle"
)

// Globals are the flags before the verb.
type Globals struct {
	Root          string `name:"root" placeholder:"DIR" help:"Keep the states of containers in DIR. Without it: /run/minirt, or, without the rights of root, minirt in XDG_RUNTIME_DIR."`
	Log           string `name:"log" placeholder:"FILE" help:"Append errors to FILE too."`
	LogFormat     string `name:"log-format" placeholder:"FORMAT" enum:"text,json" default:"text" help:"What FILE's lines look like."`
	LogLevel      string `name:"log-level" placeholder:"LEVEL" enum:"error,warning,debug" default:"warning" help:"The least that is told."`
	Debug         bool   `name:"debug" help:"The same as --log-level debug."`
	CgroupManager string `name:"cgroup-manager" placeholder:"HOW" enum:"cgroupfs,systemd,disabled" default:"cgroupfs" help:"Make cgroups by files, by systemd, or not at all."`
	SystemdCgroup bool   `name:"systemd-cgroup" help:"The same as --cgroup-manager systemd."`
	Rootless      string `name:"rootless" placeholder:"WHEN" enum:"auto,true,false" default:"auto" help:"Go on where rights to cgroups are missing; auto means without root's rights."`
	Strict        bool   `name:"strict" help:"Follow the letter of the specification: delete refuses a created container."`
	CRIU          string `name:"criu" placeholder:"PATH" hidden:"" help:"Taken and ignored."`
	Version       bool   `name:"version" short:"v" help:"Print the versions of minirt and of the specification."`
}

// Runtime is the place of containers that the flags tell of.
func (g *Globals) Runtime(warn func(string)) (*lifecycle.Runtime, error) {
	r := &lifecycle.Runtime{
		Root:          g.Root,
		CgroupManager: g.CgroupManager,
		Rootless:      g.Rootless,
		Strict:        g.Strict,
		NotifySocket:  os.Getenv("NOTIFY_SOCKET"),
		Warn:          warn,
	}
	if g.SystemdCgroup && r.CgroupManager == lifecycle.CgroupFS {
		r.CgroupManager = lifecycle.CgroupSystemd
	}
	if r.Root == "" {
		r.Root = lifecycle.DefaultRoot()
	}
	if !path.IsAbs(r.Root) {
		wd, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		r.Root = path.Join(wd, r.Root)
	}
	if r.Root = path.Clean(r.Root); r.Root == "/" {
		return nil, UsageError(`--root: "/" can't hold states`)
	}
	return r, nil
}

// OpenLog opens the file that --log names, and gives its descriptor; 0 without the flag.
func (g *Globals) OpenLog() (fd int, err error) {
	if g.Log == "" {
		return 0, nil
	}
	// O_NONBLOCK: a FIFO without a reader is an error, and isn't waited for.
	fd, err = unix.Open(g.Log, unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return 0, err
	}
	unix.SetNonblock(fd, false)
	return fd, nil
}
