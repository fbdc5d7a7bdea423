package spec

import (
	"strconv"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// noID is the id that fits in 32 bits and is none: chown(2) and setresuid(2)
// take it for "unchanged" (SEC-44).
const noID = 1<<32 - 1

// process holds the rules of config.md, Process.
func (c *checker) process(at *path, p *specs.Process) {
	const mostCells = 1<<16 - 1 // struct winsize has 16 bits for each
	if b := p.ConsoleSize; b != nil && p.Terminal {
		size := at.member("consoleSize")
		c.cells(size.member("height"), b.Height, mostCells)
		c.cells(size.member("width"), b.Width, mostCells)
	}
	c.absolute(at.member("cwd"), p.Cwd)
	if len(p.Args) == 0 {
		c.fault(at.member("args"), "needs at least one entry")
	}
	c.user(at, &p.User)
	if n := p.OOMScoreAdj; n != nil {
		c.between(at.member("oomScoreAdj"), int64(*n), -1000, 1000)
	}
	c.rlimits(at, p.Rlimits)
	if p.Capabilities != nil {
		c.capabilities(at, p.Capabilities)
	}
	if p.Scheduler != nil {
		s := at.member("scheduler")
		c.scheduler(&s, p.Scheduler)
	}
	if io := p.IOPriority; io != nil {
		i := at.member("ioPriority")
		c.oneOf(i.member("class"), "class", string(io.Class), ioClasses[:])
		c.between(i.member("priority"), int64(io.Priority), 0, 7)
	}
	if a := p.ExecCPUAffinity; a != nil {
		e := at.member("execCPUAffinity")
		c.numbers(e.member("initial"), a.Initial)
		c.numbers(e.member("final"), a.Final)
	}
}

var ioClasses = [...]string{"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"}

func (c *checker) cells(at path, n, most uint) {
	if n > most {
		c.fault(at, strconv.FormatUint(uint64(n), 10)+" is out of range, want 0 to "+strconv.FormatUint(uint64(most), 10))
	}
}

// user holds the rules of config.md, POSIX-platform User.
func (c *checker) user(at *path, u *specs.User) {
	p := at.member("user")
	c.id(p.member("uid"), u.UID)
	c.id(p.member("gid"), u.GID)
	for i, gid := range u.AdditionalGids {
		c.id(p.item("additionalGids", i), gid)
	}
	if u.Umask != nil && *u.Umask > 0o777 {
		c.fault(p.member("umask"), strconv.FormatUint(uint64(*u.Umask), 10)+" is out of range, want 0 to 511 (octal 777)")
	}
}

func (c *checker) id(at path, id uint32) {
	if id == noID {
		c.fault(at, "4294967295 is not an id, the kernel reads it as -1")
	}
}

// rlimits holds the rules of config.md, POSIX process, rlimits.
func (c *checker) rlimits(at *path, all []specs.POSIXRlimit) {
	var seen [64]int // index of the first entry of each resource, from 1
	for i := range all {
		r, p := &all[i], at.item("rlimits", i)
		if n, ok := kernel.Rlimit(r.Type); !ok {
			c.unknown(p.member("type"), "rlimit", r.Type, names(kernel.RlimitName))
		} else if first := seen[n]; first > 0 {
			c.twice(p.member("type"), r.Type, at.item("rlimits", first-1))
		} else {
			seen[n] = i + 1
		}
		if r.Soft > r.Hard {
			c.fault(p.member("soft"), strconv.FormatUint(r.Soft, 10)+" is more than hard, which is "+strconv.FormatUint(r.Hard, 10))
		}
	}
}

// twice is the fault of an element that repeats another.
func (c *checker) twice(at path, what string, first path) {
	c.fault(at, quote(what)+" is given twice, first in "+first.String())
}

// names lists what a table of package kernel has, for the texts of faults.
func names(of func(int) string) []string {
	var list []string
	for n := 0; of(n) != ""; n++ {
		list = append(list, of(n))
	}
	return list
}

var (
	policies = [...]string{
		"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE",
	}
	schedulerFlags = [...]string{
		"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY",
		"SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX",
	}
)

// scheduler holds the rules of config.md, Linux Process, scheduler, and what
// sched_setattr(2) would quietly change or leave out.
func (c *checker) scheduler(at *path, s *specs.Scheduler) {
	if !c.oneOf(at.member("policy"), "policy", string(s.Policy), policies[:]) {
		return
	}
	for i, f := range s.Flags {
		c.oneOf(at.item("flags", i), "flag", string(f), schedulerFlags[:])
	}
	c.between(at.member("nice"), int64(s.Nice), -20, 19)
	if s.Policy == specs.SchedFIFO || s.Policy == specs.SchedRR {
		c.between(at.member("priority"), int64(s.Priority), 1, 99)
	} else if s.Priority != 0 {
		c.fault(at.member("priority"), strconv.Itoa(int(s.Priority))+" has no meaning for "+string(s.Policy)+", want 0")
	}
	for _, t := range [...]struct {
		name  string
		value uint64
	}{{"runtime", s.Runtime}, {"deadline", s.Deadline}, {"period", s.Period}} {
		if t.value != 0 && s.Policy != specs.SchedDeadline {
			c.fault(at.member(t.name), strconv.FormatUint(t.value, 10)+" has no meaning for "+string(s.Policy)+", want 0")
		}
	}
}
