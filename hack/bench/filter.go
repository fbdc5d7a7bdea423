package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/minirt/minirt/internal/seccomp"
	"github.com/minirt/minirt/internal/seccomp/seccomptest"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// filterFigures are what Docker's profile costs: to compile, to load, and in
// each call of programs that were recorded.
type filterFigures struct {
	ours, theirs, tree, load series // theirs and tree are libseccomp's two settings
	lengths                  [3]int // instructions: minirt's, libseccomp's list and tree
	calls                    []callCost
}

// callCost is the mean of instructions a call, in the order of lengths.
type callCost struct {
	program string
	mean    [3]float64
}

// filters measures them: both compile in turns, and each load is a new process.
func (h *host) filters(t *tools, rounds int) (*filterFigures, error) {
	if runtime.GOARCH != "amd64" {
		return nil, fmt.Errorf("the recorded programs are of x86-64")
	}
	var s specs.LinuxSeccomp
	if err := decode("docker.json", &s); err != nil {
		return nil, err
	}
	p, err := seccomptest.Start(t.dir)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	f := &filterFigures{}
	var programs [3][]seccomp.Instruction
	for i := range rounds + warmUp {
		began := time.Now()
		filter, _, err := seccomp.Compile(&s, runtime.GOARCH)
		ours := time.Since(began)
		if err != nil {
			return nil, err
		}
		list, theirs, err := compiled(p, &s, seccomptest.List)
		if err != nil {
			return nil, err
		}
		tree, trees, err := compiled(p, &s, seccomptest.Tree)
		if err != nil {
			return nil, err
		}
		load, err := loadTime()
		if err != nil {
			return nil, err
		}
		if i >= warmUp {
			f.ours, f.theirs, f.tree, f.load = append(f.ours, ours), append(f.theirs, theirs), append(f.tree, trees), append(f.load, load)
		}
		programs = [3][]seccomp.Instruction{filter.Instructions, list, tree}
	}
	for i, code := range programs {
		f.lengths[i] = len(code)
	}
	return f, f.count(&programs)
}

// compiled is what libseccomp makes of a profile, and how long it takes.
func compiled(p *seccomptest.Peer, s *specs.LinuxSeccomp, setting int) (code []seccomp.Instruction, took time.Duration, err error) {
	f, err := p.Compile(s, setting)
	if err = cmp.Or(err, f.Err); err != nil {
		return nil, 0, err
	}
	for _, c := range f.Code {
		code = append(code, seccomp.Instruction{Code: c.Code, JT: c.Jt, JF: c.Jf, K: c.K})
	}
	return code, f.Took, nil
}

// count runs the programs over the recorded traces.
func (f *filterFigures) count(programs *[3][]seccomp.Instruction) error {
	traces, err := seccomptest.Traces()
	if err != nil {
		return err
	}
	numbers := map[string]uint32{}
	for number, name := range seccomp.Calls(specs.ArchX86_64) {
		numbers[name] = number
	}
	for i := range traces {
		c := callCost{program: traces[i].Program}
		for j, code := range programs {
			filter := &seccomp.Filter{Instructions: code}
			c.mean[j], err = traces[i].Mean(func(name string, args [6]uint64) (int, error) {
				number, ok := numbers[name]
				if !ok {
					return 0, errors.New("unknown call")
				}
				_, steps := filter.Run(seccomp.Call{Number: number, Arch: unix.AUDIT_ARCH_X86_64, Args: args})
				return steps, nil
			})
			if err != nil {
				return err
			}
		}
		f.calls = append(f.calls, c)
	}
	return nil
}

// loading, in the environment, makes the bench a process that loads the filter
// and prints how many nanoseconds seccomp(2) took.
const loading = "MINIRT_BENCH_LOAD"

func loadTime() (time.Duration, error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), loading+"=1")
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("load the filter: %w", err)
	}
	n, err := strconv.ParseInt(string(out), 10, 64)
	return time.Duration(n), err
}

func load() error {
	var s specs.LinuxSeccomp
	if err := decode("docker.json", &s); err != nil {
		return err
	}
	f, _, err := seccomp.Compile(&s, runtime.GOARCH)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	code := f.Append(nil)
	program := unix.SockFprog{Len: uint16(len(f.Instructions)), Filter: (*unix.SockFilter)(unsafe.Pointer(&code[0]))}
	began := time.Now()
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(f.Flags), uintptr(unsafe.Pointer(&program)))
	took := time.Since(began)
	if errno != 0 {
		return errno
	}
	fmt.Print(took.Nanoseconds())
	return nil
}

// filterMarks adds the marks for them.
func (r *report) filterMarks(h *host, t *tools) {
	f, err := h.filters(t, r.o.rounds)
	if err != nil {
		r.note("filters, compiled and loaded: %v", err)
		return
	}
	r.filters = f
	micro := func(d time.Duration) float64 { return float64(d) / 1e3 }
	r.atMost("compiling "+dockers, 150, micro(f.ours.median()), " µs", 0)
	r.atMost("compiling it, of libseccomp's time", 1.0/30, ratio(f.ours.median(), f.theirs.median()), "", 3)
	r.atMost("seccomp(2) of the result", 150, micro(f.load.median()), " µs", 0)
	for _, c := range f.calls {
		what := "instructions a call of the " + c.program + " program, of those of libseccomp's "
		r.atMost(what+"list", 0.5, c.mean[0]/c.mean[1], "", 2)
		r.atMost(what+"tree", 1, c.mean[0]/c.mean[2], "", 2)
	}
}

func (r *report) filterTable(p *page) {
	f := r.filters
	if f == nil {
		return
	}
	p.heading(strings.ToUpper(dockers[:1]) + dockers[1:])
	p.say("Compiled within one process, in turns, and loaded in a new one each time: medians. libseccomp has two settings, a list, its default, and a binary tree. The programs were recorded (internal/seccomp/seccomptest/testdata/traces); the kernel runs so many instructions for each of their calls that it doesn't know to be always allowed.\n")
	p.row(true, "", "minirt", "libseccomp", "its tree")
	micros := func(s series) string { return decimals(float64(s.median())/1e3, 1) }
	p.row(false, "compiling, µs", micros(f.ours), micros(f.theirs), micros(f.tree))
	p.row(false, "seccomp(2), µs", micros(f.load), "", "")
	p.row(false, "instructions", fmt.Sprint(f.lengths[0]), fmt.Sprint(f.lengths[1]), fmt.Sprint(f.lengths[2]))
	for _, c := range f.calls {
		p.row(false, "a call of the "+c.program+" program", decimals(c.mean[0], 1), decimals(c.mean[1], 1), decimals(c.mean[2], 1))
	}
}
