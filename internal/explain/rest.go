package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// seccomp compares whether there is a filter. What is in it the kernel tells
// only to who traces the process.
func (x *explanation) seccomp() {
	const field = "linux.seccomp"
	c := x.s.Linux.Seccomp
	mode, filters := x.status["Seccomp"], x.status["Seccomp_filters"]
	kernel := map[string]string{"0": "no filter", "1": "strict mode", "2": "filter mode"}[mode]
	if filters != "" && mode == "2" {
		kernel = filters + " filters"
		if filters == "1" {
			kernel = "1 filter"
		}
	}
	switch {
	case mode == "":
		x.unknown(field, seccompText(c), "the kernel doesn't tell")
	case c == nil:
		x.compare(field, "", kernel, mode == "0", "of the container's own making, or of whoever created it")
	default:
		x.late(field, seccompText(c), kernel, mode == "2", "")
	}
}

func seccompText(c *specs.LinuxSeccomp) string {
	if c == nil {
		return ""
	}
	return string(c.DefaultAction) + ", " + strconv.Itoa(len(c.Syscalls)) + " rules"
}

// resctrl tells the groups of resctrl, where the kernel has any.
func (x *explanation) resctrl() {
	c := x.s.Linux.IntelRdt
	if c == nil {
		return
	}
	config := words([]string{c.ClosID, c.L3CacheSchema, c.MemBwSchema, strings.Join(c.Schemata, " "), yes(c.EnableMonitoring)})
	if now, ok := x.told("linux.intelRdt", config, x.f.Files["cpu_resctrl_groups"]); ok {
		x.add(Row{"linux.intelRdt", config, words(strings.Fields(now)), "the schemata are in the file system resctrl", Unknown})
	}
}

// A memoryMode is the spec's word for a policy, and that of numa_maps (numa(7)).
type memoryMode struct {
	mode specs.MemoryPolicyModeType
	word string
}

var memoryModes = [...]memoryMode{
	{specs.MpolDefault, "default"}, {specs.MpolPreferred, "prefer"}, {specs.MpolBind, "bind"}, {specs.MpolInterleave, "interleave"}, {specs.MpolLocal, "local"},
	{specs.MpolPreferredMany, "prefer (many)"}, {specs.MpolWeightedInterleave, "weighted interleave"},
}

// memoryPolicy compares the policy of the program's first piece of memory.
func (x *explanation) memoryPolicy() {
	c := x.s.Linux.MemoryPolicy
	if c == nil {
		return
	}
	const field = "linux.memoryPolicy"
	config := string(c.Mode) + " " + c.Nodes
	for _, f := range c.Flags {
		config += " " + string(f)
	}
	text, ok := x.told(field, config, x.f.Files["numa_maps"])
	if !ok {
		return
	}
	_, after, _ := strings.Cut(text, " ")
	now, _, _ := strings.Cut(after, " file=")
	now, _, _ = strings.Cut(now, " anon=")
	same := slices.ContainsFunc(memoryModes[:], func(m memoryMode) bool { return m.mode == c.Mode && strings.HasPrefix(now, m.word) })
	x.late(field, config, now, same, "of the program's first piece of memory")
}

// personality compares the execution domain.
func (x *explanation) personality() {
	c := x.s.Linux.Personality
	if c == nil {
		return
	}
	const field, linux, linux32 = "linux.personality", 0, 8
	config := string(c.Domain)
	for _, f := range c.Flags {
		config += " " + string(f)
	}
	text, ok := x.told(field, config, x.f.Files["personality"])
	if !ok {
		return
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(text), 16, 32)
	kernel, want := "0x"+strconv.FormatUint(n, 16), uint64(linux)
	switch n & 0xff {
	case linux:
		kernel = string(specs.PerLinux)
	case linux32:
		kernel = string(specs.PerLinux32)
	}
	if c.Domain == specs.PerLinux32 {
		want = linux32
	}
	x.compare(field, config, kernel, n&0xff == want, "now")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
