package explain

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// capabilities compares the five sets. What a program has of them execve(2)
// decides: root gets the bounding set, and any other user the ambient one
// (capabilities(7)); a file's own capabilities are not known here.
func (x *explanation) capabilities(p *specs.Process) {
	c := p.Capabilities
	if c == nil {
		c = new(specs.LinuxCapabilities)
	}
	bounding, inheritable := bitsOf(c.Bounding), bitsOf(c.Inheritable)
	permitted, ambient := bitsOf(c.Permitted), bitsOf(c.Ambient)
	ambient &= permitted & inheritable
	after, why := ambient, "execve leaves a user who isn't root the ambient set"
	if p.User.UID == 0 {
		after, why = bounding|inheritable, "execve gives root the bounding set"
		if p.NoNewPrivileges {
			after, why = after&permitted, "execve gives root no more than the permitted set"
		}
	}
	for _, set := range [...]struct {
		name, key string
		list      []string
		want      uint64
		execve    bool
	}{
		{"bounding", "CapBnd", c.Bounding, bounding, false},
		{"effective", "CapEff", c.Effective, after, true},
		{"inheritable", "CapInh", c.Inheritable, inheritable, false},
		{"permitted", "CapPrm", c.Permitted, after, true},
		{"ambient", "CapAmb", c.Ambient, ambient, false},
	} {
		now, err := strconv.ParseUint(x.status[set.key], 16, 64)
		r := Row{Field: "process.capabilities." + set.name, Config: setText(set.list), Kernel: bitsText(now)}
		switch {
		case err != nil:
			r.Kernel, r.Note, r.Mark = "", "the kernel doesn't tell", Unknown
		case set.execve && x.f.Waiting:
			r.Note, r.Mark = "execve decides", Unknown
		case now != set.want:
			r.Mark = Differs
		case set.execve && set.want != bitsOf(set.list):
			r.Note = why
		}
		x.add(r)
	}
}

func bitsOf(names []string) (bits uint64) {
	for _, name := range names {
		if n, ok := kernel.Capability(name); ok {
			bits |= 1 << n
		}
	}
	return bits
}

// setText is a set in the kernel's order, and then what nobody knows.
func setText(names []string) string {
	text := bitsText(bitsOf(names))
	for _, name := range names {
		if _, ok := kernel.Capability(name); !ok {
			text += " " + strconv.Quote(name)
		}
	}
	return strings.TrimSpace(text)
}

func bitsText(bits uint64) string {
	var names []string
	for i := range 64 {
		if bits&(1<<i) == 0 {
			continue
		}
		if name := kernel.CapabilityName(i); name != "" {
			names = append(names, name)
		} else {
			names = append(names, strconv.Itoa(i))
		}
	}
	return words(names)
}
