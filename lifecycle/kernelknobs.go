package lifecycle

import (
	"encoding/binary"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// policies of sched_setattr(2) by the spec's names.
var policies = [...]struct {
	name   specs.LinuxSchedulerPolicy
	number uint32
}{
	{specs.SchedOther, unix.SCHED_NORMAL}, {specs.SchedFIFO, unix.SCHED_FIFO}, {specs.SchedRR, unix.SCHED_RR},
	{specs.SchedBatch, unix.SCHED_BATCH}, {specs.SchedISO, 4}, {specs.SchedIdle, unix.SCHED_IDLE}, {specs.SchedDeadline, unix.SCHED_DEADLINE},
}

var schedulerFlags = [...]struct {
	name specs.LinuxSchedulerFlag
	bit  uint64
}{
	{specs.SchedFlagResetOnFork, 0x01}, {specs.SchedFlagReclaim, 0x02}, {specs.SchedFlagDLOverrun, 0x04},
	{specs.SchedFlagKeepPolicy, 0x08}, {specs.SchedFlagKeepParams, 0x10}, {specs.SchedFlagUtilClampMin, 0x20}, {specs.SchedFlagUtilClampMax, 0x40},
}

// ioClasses of ioprio_set(2) by the spec's names.
var ioClasses = [...]struct {
	name   specs.IOPriorityClass
	number int
}{
	{specs.IOPRIO_CLASS_RT, 1}, {specs.IOPRIO_CLASS_BE, 2}, {specs.IOPRIO_CLASS_IDLE, 3},
}

// scheduling sets process.scheduler and process.ioPriority, and raises hard
// limits: all that takes rights over the host, before a user namespace or
// process.capabilities take those away.
func (c *compiler) scheduling() {
	p := c.spec.Process
	if p == nil {
		return
	}
	if p.Scheduler != nil {
		c.At("process.scheduler")
		b := schedAttr(p.Scheduler)
		c.Do(plan.SchedSetattr, 0, c.Bytes(b), 0)
	}
	if p.IOPriority != nil {
		const whoProcessGroup, classShift = 2, 13
		c.At("process.ioPriority")
		for _, class := range ioClasses {
			if class.name == p.IOPriority.Class {
				c.Do(plan.IoprioSet, whoProcessGroup, 0, class.number<<classShift|p.IOPriority.Priority)
			}
		}
	}
	c.raiseLimits(p)
}

// schedAttr is struct sched_attr, version 0 (sched_setattr(2)).
func schedAttr(s *specs.Scheduler) []byte {
	const size = 48
	var policy uint32
	for _, p := range policies {
		if p.name == s.Policy {
			policy = p.number
		}
	}
	var flags uint64
	for _, f := range s.Flags {
		for _, known := range schedulerFlags {
			if known.name == f {
				flags |= known.bit
			}
		}
	}
	le := binary.LittleEndian
	b := le.AppendUint32(make([]byte, 0, size), size)
	b = le.AppendUint32(b, policy)
	b = le.AppendUint64(b, flags)
	b = le.AppendUint32(b, uint32(s.Nice))
	b = le.AppendUint32(b, uint32(s.Priority))
	b = le.AppendUint64(b, s.Runtime)
	b = le.AppendUint64(b, s.Deadline)
	return le.AppendUint64(b, s.Period)
}

// reschedule sets process.scheduler once more, from outside, where the
// container's process is the stage's child and SCHED_FLAG_RESET_ON_FORK has made
// it an ordinary one (sched(7)): its own rights are gone by now.
func (c *creation) reschedule() error {
	p := c.spec.Process
	if !c.plan.Births || p == nil || p.Scheduler == nil {
		return nil
	}
	b, le := schedAttr(p.Scheduler), binary.LittleEndian
	a := unix.SchedAttr{
		Size: uint32(len(b)), Policy: le.Uint32(b[4:]), Flags: le.Uint64(b[8:]), Nice: int32(le.Uint32(b[16:])), Priority: le.Uint32(b[20:]),
		Runtime: le.Uint64(b[24:]), Deadline: le.Uint64(b[32:]), Period: le.Uint64(b[40:]),
	}
	if a.Flags&unix.SCHED_FLAG_RESET_ON_FORK == 0 {
		return nil
	}
	if err := unix.SchedSetAttr(c.Process.PID, &a, 0); err != nil {
		return &pathError{"process.scheduler", quote(string(p.Scheduler.Policy)), err}
	}
	return nil
}

// raiseLimits raises hard limits beyond the caller's: in a user namespace, or
// without CAP_SYS_RESOURCE, nobody may. The soft limit stays, so that the stage
// itself isn't hindered.
func (c *compiler) raiseLimits(p *specs.Process) {
	for i, r := range p.Rlimits {
		n, _ := kernel.Rlimit(r.Type)
		if hard := c.host.HardLimits[n]; r.Hard > hard {
			c.At(index("process.rlimits", i))
			c.Do(plan.Prlimit64, 0, n, c.Words(min(r.Soft, hard), r.Hard), nil)
		}
	}
}

// limits sets process.rlimits.
func (c *compiler) limits(p *specs.Process) {
	for i, r := range p.Rlimits {
		n, _ := kernel.Rlimit(r.Type)
		c.At(index("process.rlimits", i))
		c.Do(plan.Prlimit64, 0, n, c.Words(r.Soft, r.Hard), nil)
	}
}

// personality sets linux.personality (config-linux.md, Personality).
func (c *compiler) personality() {
	if c.spec.Linux == nil || c.spec.Linux.Personality == nil {
		return
	}
	const linux, linux32 = 0, 8
	domain := linux
	if c.spec.Linux.Personality.Domain == specs.PerLinux32 {
		domain = linux32
	}
	c.At("linux.personality")
	c.Do(plan.Personality, domain)
}

// memoryModes of set_mempolicy(2) by the spec's names.
var memoryModes = [...]struct {
	name   specs.MemoryPolicyModeType
	number int
}{
	{specs.MpolDefault, 0}, {specs.MpolPreferred, 1}, {specs.MpolBind, 2}, {specs.MpolInterleave, 3},
	{specs.MpolLocal, 4}, {specs.MpolPreferredMany, 5}, {specs.MpolWeightedInterleave, 6},
}

var memoryFlags = [...]struct {
	name specs.MemoryPolicyFlagType
	bit  int
}{
	{specs.MpolFNumaBalancing, 1 << 13}, {specs.MpolFRelativeNodes, 1 << 14}, {specs.MpolFStaticNodes, 1 << 15},
}

// memoryPolicy sets linux.memoryPolicy (config-linux.md, Memory policy).
func (c *compiler) memoryPolicy() {
	if c.spec.Linux == nil || c.spec.Linux.MemoryPolicy == nil {
		return
	}
	m := c.spec.Linux.MemoryPolicy
	mode := 0
	for _, known := range memoryModes {
		if known.name == m.Mode {
			mode = known.number
		}
	}
	for _, f := range m.Flags {
		for _, known := range memoryFlags {
			if known.name == f {
				mode |= known.bit
			}
		}
	}
	c.At("linux.memoryPolicy")
	nodes, n := nodeMask(m.Nodes)
	if n == 0 {
		c.Do(plan.SetMempolicy, mode, nil, 0)
		return
	}
	c.Do(plan.SetMempolicy, mode, c.Words(nodes...), n)
}
