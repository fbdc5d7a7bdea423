package cgroup

import (
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Write is one limit: a value for a file of the container's cgroup.
type Write struct {
	Controller string // the kernel's name; of version 2 "io", not "blkio"
	File       string
	Value      string
	Path       string // the field of config.json that asks for it

	V2       bool   // goes to version 2 whatever controllers it has: a device program, a file of the cgroup core
	Program  []byte // eBPF, instead of a file: Value is then for the reader only
	Else     *Write // instead, where the kernel has no such File
	Optional bool   // the kernel's own default: nothing is lost where there is no such File
	Retry    bool   // depends on values to be written after it (EINVAL until then)
	NotBelow string // refuse a Value that is less than this file's (checkBeforeUpdate)
}

// Compile gives the writes that r asks for in layout l (config-linux.md,
// Control groups), in the order in which they have to be made. r may be nil:
// then only the device rules remain (CG-06, SEC-08).
//
// late are those that would be in the way of the container's set-up and are to
// be put in force after it has made its device nodes and its last process: the
// device rules and the limit of processes.
//
// err is of type Faults: each field that is wrong in itself, can't be
// converted to version 2 (CG-14), or needs a controller that l doesn't have.
//
// Zero is a value (memory.limit, memory.reservation, pids.limit, …), except in
// fields where the kernel has no zero or replaces it, and where engines send
// it for "unset": cpu.shares, cpu.quota, cpu.period, cpu.realtimePeriod,
// blockIO.weight and leafWeight, memory.kernel, and memory.swap beside a limit.
func Compile(r *specs.LinuxResources, l *Layout) (early, late []Write, err error) {
	c := compiler{l: l, early: make([]Write, 0, 8), late: make([]Write, 0, 24)}
	if r == nil {
		r = &specs.LinuxResources{}
	}
	c.limits(r)
	c.devices(r.Devices)
	return c.early, c.late, c.err()
}

// Update is Compile for a container that runs: all but the device rules, which
// stay as they are, since engines repeat "deny all" there without the rest.
func Update(r *specs.LinuxResources, l *Layout) ([]Write, error) {
	c := compiler{l: l}
	c.limits(r)
	return append(c.early, c.late...), c.err()
}

type compiler struct {
	l           *Layout
	early, late []Write
	faults      Faults
}

func (c *compiler) limits(r *specs.LinuxResources) {
	c.memory(r.Memory)
	c.cpu(r.CPU)
	c.cpuset(r.CPU)
	c.pids(r.Pids)
	c.blockIO(r.BlockIO)
	c.hugepages(r.HugepageLimits)
	c.network(r.Network)
	c.rdma(r.Rdma)
	c.unified(r.Unified)
}

func (c *compiler) err() error {
	if len(c.faults) == 0 {
		return nil
	}
	return c.faults
}

func (c *compiler) put(w Write) { c.early = append(c.early, w) }

// fault refuses the value at a path.
func (c *compiler) fault(path, value, why string) {
	c.faults = append(c.faults, Fault{Path: path, Text: value + ": " + why})
}

// need finds the hierarchy of a controller, by its name in version 1, or
// refuses the value that is in need of it.
func (c *compiler) need(controller, path, value string) *Hierarchy {
	h := c.find(controller)
	if h == nil {
		c.fault(path, value, "no "+controller+" controller on this host")
		c.faults[len(c.faults)-1].Controller = controller
	}
	return h
}

// find is need without the refusal.
func (c *compiler) find(controller string) *Hierarchy {
	if controller == "blkio" {
		if h := c.l.hierarchy("io"); h != nil {
			return h
		}
	}
	return c.l.hierarchy(controller)
}

const (
	notOnV2   = "cgroup version 2 has nothing like it"
	belowNone = "less than -1 (unlimited)"
)

func number(n int64) string   { return strconv.FormatInt(n, 10) }
func natural(n uint64) string { return strconv.FormatUint(n, 10) }

// orMax is version 2's word for a limit.
func orMax(n int64) string {
	if n < 0 {
		return "max"
	}
	return number(n)
}

// at is the path of an element.
func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
