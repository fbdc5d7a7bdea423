package explain

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// limitNames are the resources of getrlimit(2) as /proc/PID/limits names them.
var limitNames = [...]struct{ name, line string }{
	{"RLIMIT_CPU", "Max cpu time"}, {"RLIMIT_FSIZE", "Max file size"}, {"RLIMIT_DATA", "Max data size"}, {"RLIMIT_STACK", "Max stack size"},
	{"RLIMIT_CORE", "Max core file size"}, {"RLIMIT_RSS", "Max resident set"}, {"RLIMIT_NPROC", "Max processes"}, {"RLIMIT_NOFILE", "Max open files"},
	{"RLIMIT_MEMLOCK", "Max locked memory"}, {"RLIMIT_AS", "Max address space"}, {"RLIMIT_LOCKS", "Max file locks"}, {"RLIMIT_SIGPENDING", "Max pending signals"},
	{"RLIMIT_MSGQUEUE", "Max msgqueue size"}, {"RLIMIT_NICE", "Max nice priority"}, {"RLIMIT_RTPRIO", "Max realtime priority"}, {"RLIMIT_RTTIME", "Max realtime timeout"},
}

func (x *explanation) rlimits(list []specs.POSIXRlimit) {
	for i, r := range list {
		field := index("process.rlimits", i)
		config := r.Type + " " + limit(r.Soft) + " " + limit(r.Hard)
		text, ok := x.told(field, config, x.f.Files["limits"])
		if !ok {
			continue
		}
		soft, hard := limitsOf(text, r.Type)
		x.late(field, config, words([]string{r.Type, soft, hard}), soft == limit(r.Soft) && hard == limit(r.Hard), "soft and hard")
	}
}

func limit(n uint64) string {
	if n == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return natural(n)
}

// limitsOf finds the two limits in the text of limits.
func limitsOf(text, resource string) (soft, hard string) {
	for _, n := range limitNames {
		if n.name != resource {
			continue
		}
		for line := range strings.Lines(text) {
			rest, ok := strings.CutPrefix(line, n.line+" ")
			if f := strings.Fields(rest); ok && len(f) >= 2 {
				return f[0], f[1]
			}
		}
	}
	return "", ""
}

// policies of sched(7), each at its number.
var policies = [...]specs.LinuxSchedulerPolicy{specs.SchedOther, specs.SchedFIFO, specs.SchedRR, specs.SchedBatch, specs.SchedISO, specs.SchedIdle, specs.SchedDeadline}

// schedulerFlags of sched_setattr(2), each at its bit.
var schedulerFlags = [...]specs.LinuxSchedulerFlag{
	specs.SchedFlagResetOnFork, specs.SchedFlagReclaim, specs.SchedFlagDLOverrun, specs.SchedFlagKeepPolicy,
	specs.SchedFlagKeepParams, specs.SchedFlagUtilClampMin, specs.SchedFlagUtilClampMax,
}

func (x *explanation) scheduler(s *specs.Scheduler) {
	const field = "process.scheduler"
	config := ""
	if s != nil {
		config = schedulerText(string(s.Policy), s.Nice, s.Priority, s.Flags, s.Runtime, s.Deadline, s.Period)
	}
	a := x.f.Scheduler
	if a == nil {
		x.unknown(field, config, "the kernel doesn't tell")
		return
	}
	policy := natural(uint64(a.Policy))
	if int(a.Policy) < len(policies) {
		policy = string(policies[a.Policy])
	}
	var flags []specs.LinuxSchedulerFlag
	for i, name := range schedulerFlags {
		if a.Flags&(1<<i) != 0 {
			flags = append(flags, name)
		}
	}
	if policy != string(specs.SchedDeadline) { // of others it is the length of a turn (Linux 6.12)
		a = &unix.SchedAttr{Nice: a.Nice, Priority: a.Priority}
	}
	kernel := schedulerText(policy, a.Nice, int32(a.Priority), flags, a.Runtime, a.Deadline, a.Period)
	same := s == nil || policy == string(s.Policy) && a.Nice == s.Nice && int32(a.Priority) == s.Priority &&
		(s.Policy != specs.SchedDeadline || a.Runtime == s.Runtime && a.Deadline == s.Deadline && (a.Period == s.Period || s.Period == 0))
	x.compare(field, config, kernel, same, "")
}

func schedulerText(policy string, nice, priority int32, flags []specs.LinuxSchedulerFlag, runtime, deadline, period uint64) string {
	text := policy
	for _, n := range [...]struct {
		name  string
		value int64
	}{{"nice", int64(nice)}, {"priority", int64(priority)}, {"runtime", int64(runtime)}, {"deadline", int64(deadline)}, {"period", int64(period)}} {
		if n.value != 0 {
			text += " " + n.name + " " + number(n.value)
		}
	}
	for _, f := range flags {
		text += " " + string(f)
	}
	return text
}

// ioClasses of ioprio_set(2), each at its number.
var ioClasses = [...]specs.IOPriorityClass{"", specs.IOPRIO_CLASS_RT, specs.IOPRIO_CLASS_BE, specs.IOPRIO_CLASS_IDLE}

func (x *explanation) ioPriority(p *specs.LinuxIOPriority) {
	const field, shift = "process.ioPriority", 13
	if p == nil {
		return
	}
	config := string(p.Class) + " " + strconv.Itoa(p.Priority)
	if x.f.IOPriority < 0 {
		x.unknown(field, config, "the kernel doesn't tell")
		return
	}
	class, level := x.f.IOPriority>>shift&7, x.f.IOPriority&7
	kernel := strconv.Itoa(class)
	if class < len(ioClasses) && class > 0 {
		kernel = string(ioClasses[class])
	}
	kernel += " " + strconv.Itoa(level)
	x.compare(field, config, kernel, kernel == config, "")
}
