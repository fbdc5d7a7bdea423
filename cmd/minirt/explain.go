package main

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/internal/explain"
	"github.com/minirt/minirt/lifecycle"
	"github.com/minirt/minirt/spec"
)

type explainFlags struct {
	container
	Differences bool   `name:"differences" short:"d" help:"Print the differences only."`
	Verdict     bool   `name:"check" help:"Exit with 1 if there are differences."`
	Format      string `name:"format" short:"f" placeholder:"FORMAT" enum:"table,json" default:"table" help:"How to print the fields."`
}

func (*explainFlags) Help() string {
	return `Puts the config.json of a created, running or paused container and what the kernel says of its process side by side, field by field: namespaces, mappings of IDs, user, capabilities, limits, mounts, devices, kernel parameters, the files of its cgroups. It changes nothing.

"!" marks a difference: the container, an update, or somebody else on the machine has changed something since; a program that gives up its rights or changes its directory does so, too. "?" marks what the kernel doesn't tell, or not to this user. Mounts and devices that config.json doesn't have are listed as well. The values of the environment are not printed.`
}

func (*explainFlags) Example() string {
	return `minirt explain web
minirt explain --differences --check web
minirt explain --format json web`
}

func (f *explainFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	s, err := r.Inspect(f.ID)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	facts, err := factsOf(r, s)
	if err != nil {
		return 0, &lifecycle.Error{Verb: "explain", ID: f.ID, Err: err}
	}
	rows := explain.Explain(s.Spec, facts)
	differs := func(row explain.Row) bool { return row.Mark == explain.Differs }
	if f.Verdict && slices.ContainsFunc(rows, differs) {
		status = 1
	}
	if f.Differences {
		rows = slices.DeleteFunc(rows, func(row explain.Row) bool { return !differs(row) })
	}
	switch {
	case f.Format == "json":
		return status, say(explain.JSON(rows))
	case len(rows) == 0:
		return status, nil
	}
	return status, say(explain.Text(rows, screenWidth()))
}

// factsOf asks the kernel about a container.
func factsOf(r *lifecycle.Runtime, s *lifecycle.Subject) (*explain.Facts, error) {
	f := &explain.Facts{Waiting: s.Waiting(), Bundle: s.Bundle, Rootfs: s.Rootfs, Group: s.Group, Added: s.Added, Others: neighbours(r, s.ID)}
	f.Param, f.NoParam = s.Parameters(parametersIn(s))
	if err := f.Read(s.Spec, s.Pid, s.PIDFD); err != nil {
		if errors.Is(err, unix.ESRCH) {
			err = errors.New("the container has ended meanwhile")
		}
		return nil, err
	}
	return f, nil
}

// parametersIn are the kernel parameters that a container's configuration is about.
func parametersIn(s *lifecycle.Subject) []string {
	paths := []string{"kernel/hostname", "kernel/domainname"}
	if s.Spec.Linux != nil {
		for key := range s.Spec.Linux.Sysctl {
			path, _ := spec.SysctlPath(key)
			paths = append(paths, path)
		}
	}
	return paths
}

// neighbours are the other containers that live. One that can't be read doesn't count.
func neighbours(r *lifecycle.Runtime, id string) (list []explain.Neighbour) {
	states, _ := r.List()
	for _, st := range states {
		if st.ID == id {
			continue
		}
		if s, err := r.Inspect(st.ID); err == nil {
			list = append(list, explain.Neighbour{ID: s.ID, Namespaces: explain.Namespaces(s.Pid, s.PIDFD)})
			s.Close()
		}
	}
	return list
}

// screenWidth is the width of the terminal that standard output is, or of a wide page.
func screenWidth() int {
	const page = 140
	if w, err := unix.IoctlGetWinsize(int(os.Stdout.Fd()), unix.TIOCGWINSZ); err == nil && w.Col > 0 {
		return int(w.Col)
	}
	return page
}
