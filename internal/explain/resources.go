package explain

import (
	"errors"
	"slices"
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const devicesPath = "linux.resources.devices"

// cgroups compares linux.cgroupsPath and linux.resources: by the same conversion
// as create made the limits.
func (x *explanation) cgroups() {
	r := x.s.Linux.Resources
	g := x.f.Group
	if g == nil {
		x.add(Row{Field: "linux.cgroupsPath", Config: x.s.Linux.CgroupsPath, Kernel: "none of its own", Note: "it is in the cgroup of whoever created it"})
		if r != nil {
			x.unknown("linux.resources", "", "the container has no cgroup of its own")
		}
		return
	}
	x.place(g)
	early, late, err := cgroup.Compile(r, g.Layout())
	if err != nil {
		x.unknown("linux.resources", "", err.Error())
		return
	}
	var rules []cgroup.Write
	limits := make([]cgroup.Write, 0, len(early)+len(late))
	for _, w := range slices.Concat(early, late) {
		if w.Controller == "devices" {
			rules = append(rules, w)
		} else {
			limits = append(limits, w)
		}
	}
	for i := range limits {
		x.limit(&limits[i], decided(limits[i+1:], &limits[i]))
	}
	x.rules(r, rules)
	if r != nil && r.Memory != nil && r.Memory.CheckBeforeUpdate != nil {
		x.unknown("linux.resources.memory.checkBeforeUpdate", yes(*r.Memory.CheckBeforeUpdate), "it is for update alone")
	}
}

// decided tells whether a later write goes to the same file, for the same device.
func decided(later []cgroup.Write, w *cgroup.Write) bool {
	key, _, keyed := strings.Cut(w.Value, " ")
	return slices.ContainsFunc(later, func(l cgroup.Write) bool {
		return l.File == w.File && (!keyed && !strings.Contains(l.Value, " ") || keyed && strings.HasPrefix(l.Value, key+" ") && w.File != "io.max" && w.File != "rdma.max")
	})
}

// limit compares one limit with its file.
func (x *explanation) limit(w *cgroup.Write, decided bool) {
	for w.Else != nil && errors.Is(x.f.Cgroup[x.f.Group.FileOf(w)].Err, unix.ENOENT) {
		w = w.Else
	}
	config, path := x.asked(w), x.f.Group.FileOf(w)
	r := x.f.Cgroup[path]
	switch {
	case errors.Is(r.Err, unix.ENOENT) && w.Optional:
		x.add(Row{Field: w.Path, Config: config, Note: "the kernel's own default, where it has no " + w.File})
		return
	case decided:
		x.add(Row{Field: w.Path, Config: config, Note: "decided anew further down"})
		return
	}
	text, ok := x.told(w.Path, config, r)
	if !ok {
		return
	}
	now, same := w.Now(text)
	x.compare(w.Path, config, strings.TrimSpace(w.File+" "+now), same, "now")
}

// asked is what the configuration says, and behind it what was made of it, where
// the two are different numbers.
func (x *explanation) asked(w *cgroup.Write) string {
	r := x.s.Linux.Resources
	given := w.Value
	switch {
	case w.Path == "linux.resources.cpu.shares" && r.CPU != nil && r.CPU.Shares != nil:
		given = natural(*r.CPU.Shares)
	case w.Path == "linux.resources.memory.swap" && r.Memory != nil && r.Memory.Swap != nil:
		given = number(*r.Memory.Swap)
	case w.Path == "linux.resources.blockIO.weight" && r.BlockIO != nil && r.BlockIO.Weight != nil:
		given = natural(uint64(*r.BlockIO.Weight))
	}
	if given == w.Value {
		return given
	}
	return given + ", as " + w.Value
}

// place compares the process's cgroups with those that were made for it.
func (x *explanation) place(g *cgroup.Group) {
	const field = "linux.cgroupsPath"
	config := x.s.Linux.CgroupsPath
	text, ok := x.told(field, config, x.f.Files["cgroup"])
	if !ok {
		return
	}
	var paths, faults []string
	for i := range g.Dirs {
		d := &g.Dirs[i]
		want := strings.TrimPrefix(d.Path, d.Mount)
		if !slices.Contains(paths, want) {
			paths = append(paths, want)
		}
		if now := placeIn(text, d); now != want {
			faults = append(faults, d.Name+": "+now)
		}
	}
	kernel := words(paths)
	if len(faults) > 0 {
		kernel += ", but " + strings.Join(faults, ", ")
	}
	x.compare(field, config, kernel, len(faults) == 0, "now")
}

// placeIn finds a hierarchy's line in /proc/PID/cgroup, "ID:CONTROLLERS:PATH".
func placeIn(text string, d *cgroup.Dir) string {
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) == 3 && (d.V2 && f[0] == "0" && f[1] == "" || !d.V2 && f[1] == strings.Join(d.Controllers, ",")) {
			return f[2]
		}
	}
	return "not there"
}

// rules compares the device rules, where the kernel lists them: version 1 does.
func (x *explanation) rules(r *specs.LinuxResources, writes []cgroup.Write) {
	config := ""
	if r != nil {
		config = rulesText(r.Devices)
	}
	if len(writes) == 0 {
		return
	}
	if writes[0].Program != nil {
		x.unknown(devicesPath, config, "the kernel has them as a program, and doesn't give the rules back")
		return
	}
	allow := writes[0].File == "devices.allow"
	dir := strings.TrimSuffix(x.f.Group.FileOf(&writes[0]), writes[0].File)
	text, ok := x.told(devicesPath, config, x.f.Cgroup[dir+"devices.list"])
	if !ok {
		return
	}
	now := strings.Split(strings.TrimSpace(text), "\n")
	if allow { // the list doesn't tell what is taken away from it
		x.compare(devicesPath, config, strings.Join(now, ", "), slices.Contains(now, "a *:* rwm"), "")
		return
	}
	var want []string
	for i := range writes[1:] {
		want = append(want, writes[1+i].Value)
	}
	x.compare(devicesPath, config, strings.Join(now, ", "), sameSet(want, now), differences(want, now))
}

func rulesText(list []specs.LinuxDeviceCgroup) string {
	var rules []string
	for _, d := range list {
		text := "deny "
		if d.Allow {
			text = "allow "
		}
		if d.Type == "" {
			d.Type = "a"
		}
		for _, n := range [...]*int64{d.Major, d.Minor} {
			if n == nil {
				d.Type += " *"
			} else {
				d.Type += " " + number(*n)
			}
		}
		rules = append(rules, strings.TrimSpace(text+d.Type+" "+d.Access))
	}
	return strings.Join(rules, ", ")
}

// differences tells what one list has and the other has not.
func differences(want, now []string) (text string) {
	for _, w := range want {
		if !slices.Contains(now, w) {
			text += ", lacks " + w
		}
	}
	for _, n := range now {
		if !slices.Contains(want, n) {
			text += ", has " + n
		}
	}
	return strings.TrimPrefix(text, ", ")
}
