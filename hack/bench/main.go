// Bench measures minirt beside its peers and beside the kernel's floor.
//
// Its law: contenders are compared only within one run, on the same bundle, in
// rounds in which each has one turn and the turns are shuffled; a figure
// counts as a ratio of medians, never as a time. The floor (floor.c) makes
// the same clone, mounts, pivot_root, cgroups and execve with no runtime.
//
//	go -C hack/bench run .                    everything, at least 200 rounds
//	go -C hack/bench run . -docker            … and docker run --rm, end to end
//	go -C hack/bench run . -out ../../docs    … and write bench.md and bench.svg there
//	go -C hack/bench run . -quick             20 rounds, a smoke test
//
// All contenders run in a private mount namespace without the version 2 tree
// of a hybrid cgroup layout (crun 1.8.1 refuses hybrid), each with a state root,
// bundles and cgroups of its own. The driver is the child subreaper: it waits
// for the container's end between start and delete, and so sees the CPU time
// of every process.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

type options struct {
	rounds, crowd      int
	subject, only, out string
	quick, strict      bool
	docker             bool
	extra              contenderFlags
}

func parseOptions() *options {
	o := &options{}
	flag.IntVar(&o.rounds, "rounds", 200, "rounds of each experiment")
	flag.IntVar(&o.crowd, "crowd", 1000, "containers that are created at once")
	flag.StringVar(&o.subject, "subject", "minirt", "the contender whose marks are counted")
	flag.StringVar(&o.only, "only", "", "contenders to run, with commas between (default all)")
	flag.StringVar(&o.out, "out", "", "directory to write bench.md and bench.svg to (default: the table on stdout alone)")
	flag.BoolVar(&o.docker, "docker", false, "docker run --rm too, with a private dockerd (package docker.io)")
	flag.BoolVar(&o.quick, "quick", false, "20 rounds, a crowd of 100, nothing written")
	flag.BoolVar(&o.strict, "strict", false, "exit 1 if a mark is missed")
	flag.Var(&o.extra, "contender", "another runtime, `NAME=PATH`, or NAME='PATH {root} {verb} {bundle} {id}' where its command line is not runc's")
	flag.Parse()
	if o.quick {
		o.rounds, o.crowd, o.out = 20, min(o.crowd, 100), ""
	}
	return o
}

func main() {
	if os.Getenv(loading) != "" {
		if err := load(); err != nil {
			fmt.Fprintln(os.Stderr, "bench: "+err.Error())
			os.Exit(2)
		}
		return
	}
	o := parseOptions()
	missed, err := bench(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: "+err.Error())
		os.Exit(2)
	}
	if missed && o.strict {
		os.Exit(1)
	}
}

func bench(o *options) (missed bool, err error) {
	if err := isolate(); err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "minirt-bench-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	if err := mountRun(dir); err != nil {
		return false, err
	}
	defer unix.Unmount(filepath.Join(dir, "run"), unix.MNT_DETACH)
	t, err := build(dir)
	if err != nil {
		return false, err
	}
	h, err := openHost(dir)
	if err != nil {
		return false, err
	}
	defer h.close()
	go func() { // an interrupted bench leaves nothing behind either
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, unix.SIGINT, unix.SIGTERM)
		<-stop
		h.close()
		unix.Unmount(filepath.Join(dir, "run"), unix.MNT_DETACH)
		os.RemoveAll(dir)
		os.Exit(130)
	}()
	all, err := contenders(o, t, h)
	if err != nil {
		return false, err
	}
	r, err := measure(o, h, t, all)
	if err != nil {
		return false, err
	}
	return r.missed(), r.publish(o.out)
}

// measure runs every experiment. What a contender can't do is left out of the
// report with its reason; only a failure of create, start, delete or run ends it.
func measure(o *options, h *host, t *tools, all []*contender) (*report, error) {
	r := newReport(o, all)
	say := func(s string) { fmt.Fprintln(os.Stderr, "bench: "+s) }
	for _, c := range all {
		if err := h.prove(c); err != nil {
			return nil, err
		}
	}
	experiments, err := h.experiments(all, t, o.subject)
	if err != nil {
		return nil, err
	}
	for _, e := range experiments {
		say(e.title)
		if err := h.perform(e, o.rounds, r.note); err != nil {
			return nil, err
		}
		r.experiments = append(r.experiments, e)
	}
	say("memory")
	r.memory(h)
	r.charge(h)
	if s := r.subject(); s != nil {
		say("start-up")
		r.startup(h, t, s)
		say("breakdown of create")
		r.breakdown(h, t, s)
		say("the cgroup part")
		r.cgroupPart(h)
		say("filters")
		r.filterMarks(h, t)
		say("crowd")
		r.crowds(h, s, o.crowd)
	}
	if o.docker {
		say("docker")
		r.dockerRuns(o, all)
	}
	return r, nil
}

// commandLine is the command as one may type it again, with no machine's paths.
func commandLine() string {
	args := []string{"go -C hack/bench run ."}
	for _, a := range os.Args[1:] {
		if name, path, ok := strings.Cut(a, "="); ok && strings.HasPrefix(path, "/") {
			first, rest, more := strings.Cut(path, " ")
			a = name + "=" + filepath.Base(first)
			if more {
				a = "'" + a + " " + rest + "'"
			}
		}
		args = append(args, a)
	}
	return strings.Join(args, " ")
}
