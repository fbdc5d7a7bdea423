package main

import (
	"os"
	"path/filepath"

	"github.com/minirt/minirt/lifecycle"
)

// globals are the flags before the verb.
type globals struct {
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

// runtime is the place of containers that the flags tell of.
func (g *globals) runtime(warn func(string)) (*lifecycle.Runtime, error) {
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
	root, err := filepath.Abs(r.Root)
	if err != nil {
		return nil, err
	}
	if root == "/" {
		return nil, usageError(`--root: "/" can't hold states`)
	}
	r.Root = root
	return r, nil
}
