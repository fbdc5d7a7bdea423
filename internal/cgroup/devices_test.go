package cgroup

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

type device = specs.LinuxDeviceCgroup

// defaults1 is what the default devices are on version 1.
var defaults1 = []string{
	"devices.allow=c 1:3 rwm", "devices.allow=c 1:5 rwm", "devices.allow=c 1:7 rwm", "devices.allow=c 1:8 rwm",
	"devices.allow=c 1:9 rwm", "devices.allow=c 5:0 rwm", "devices.allow=c 5:2 rwm", "devices.allow=c 136:* rwm",
}

func deviceLines(extra ...string) []string {
	return append(append([]string{"devices.deny=a"}, extra...), defaults1...)
}

func num(n int64) *int64 { return &n }

// SEC-08
func TestDeviceRulesStartFromDenyAll(t *testing.T) {
	for _, list := range [][]device{nil, {}, {{Allow: false}}, {{Allow: false, Access: "rwm"}}, {{Allow: false, Type: "a", Major: num(-1), Minor: num(-1), Access: "mwr"}}} {
		_, late, err := Compile(&specs.LinuxResources{Devices: list}, v1Only)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(deviceLines(), writes(late)); d != "" {
			t.Errorf("%v (-want +got):\n%s", list, d)
		}
	}
	if _, late, err := Compile(nil, v1Only); err != nil || cmp.Diff(deviceLines(), writes(late)) != "" {
		t.Errorf("without resources: %v, %v", writes(late), err)
	}
}

func TestDeviceRulesOnVersion1(t *testing.T) {
	all := device{Allow: true}
	tests := []struct {
		name string
		list []device
		want []string
	}{
		{"one more", []device{{Allow: false}, {Allow: true, Type: "c", Major: num(10), Minor: num(229), Access: "wr"}}, deviceLines("devices.allow=c 10:229 rw")},
		{"order counts", []device{{Allow: true, Type: "c", Major: num(10), Minor: num(229)}, {Allow: false}}, deviceLines()},
		{"everything", []device{{Allow: false}, all}, []string{"devices.allow=a"}},
		{"everything but", []device{all, {Allow: false, Type: "b", Major: num(8), Access: "w"}}, []string{"devices.allow=a", "devices.deny=b 8:* w"}},
		{"everything but not", []device{all, {Allow: false, Type: "b", Major: num(8), Access: "w"}, {Allow: true, Type: "b", Access: "rw"}}, []string{"devices.allow=a"}},
		{"any kind with numbers is both kinds", []device{{Allow: true, Major: num(7), Minor: num(1), Access: "r"}}, deviceLines("devices.allow=b 7:1 r", "devices.allow=c 7:1 r")},
		{"one entry for the same numbers", []device{{Allow: true, Type: "b", Major: num(7), Minor: num(1), Access: "r"}, {Allow: true, Type: "b", Major: num(7), Minor: num(1), Access: "w"}}, deviceLines("devices.allow=b 7:1 rw")},
		{"a default device is denied by its number", []device{{Allow: false, Type: "c", Major: num(5), Minor: num(2), Access: "rw"}, {Allow: false, Type: "c", Major: num(136)}},
			[]string{"devices.deny=a", defaults1[0], defaults1[1], defaults1[2], defaults1[3], defaults1[4], defaults1[5], "devices.allow=c 5:2 m"}},
		{"a default device isn't denied by a wildcard", []device{{Allow: true, Type: "c", Major: num(10), Minor: num(1)}, {Allow: false, Type: "c"}}, deviceLines()},
		{"the narrow has what the wide has", []device{{Allow: true, Type: "b", Access: "m"}, {Allow: true, Type: "b", Major: num(8), Minor: num(0), Access: "r"}}, deviceLines("devices.allow=b *:* m", "devices.allow=b 8:0 rm")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, late, err := Compile(&specs.LinuxResources{Devices: tt.list}, v1Only)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, writes(late)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestDeviceRulesThatAreRefused(t *testing.T) {
	tests := []struct {
		d    device
		want string
	}{
		{device{Type: "x"}, `linux.resources.devices[0].type: "x": neither a, b nor c`},
		{device{Type: "p"}, `linux.resources.devices[0].type: "p": neither a, b nor c`},
		{device{Access: "rx"}, `linux.resources.devices[0].access: "rx": not made of r, w and m`},
		{device{Major: num(-2)}, `linux.resources.devices[0].major: -2: no device number`},
		{device{Minor: num(1 << 32)}, `linux.resources.devices[0].minor: 4294967296: no device number`},
	}
	for _, tt := range tests {
		for _, l := range []*Layout{v1Only, v2Only} {
			_, late, err := Compile(&specs.LinuxResources{Devices: []device{tt.d}}, l)
			if err == nil || err.Error() != tt.want || len(late) != 0 {
				t.Errorf("%+v: %v, %v; want %s", tt.d, writes(late), err, tt.want)
			}
		}
	}
}

func TestAHoleInAWiderRuleIsRefusedOnVersion1Only(t *testing.T) {
	r := &specs.LinuxResources{Devices: []device{{Allow: true, Type: "c", Access: "rw"}, {Type: "c", Major: num(1), Minor: num(11), Access: "w"}}}
	want := `linux.resources.devices[1]: "c 1:11 w": cgroup version 1 can't make an exception from an exception for more devices`
	if _, _, err := Compile(r, v1Only); err == nil || err.Error() != want {
		t.Errorf("version 1: %v, want %s", err, want)
	}
	_, late, err := Compile(r, v2Only)
	if err != nil {
		t.Fatal(err)
	}
	if run(t, late[0].Program, 'c', 1, 11, writing) || !run(t, late[0].Program, 'c', 1, 11, reading) || !run(t, late[0].Program, 'c', 1, 12, writing) {
		t.Error("version 2's program doesn't deny writing to 1:11, and that only")
	}
}

func TestHostsWithoutAWayToDenyDevicesAreRefused(t *testing.T) {
	l := &Layout{Base: "/", Hierarchies: trees("memory")}
	if _, _, err := Compile(nil, l); err == nil || !strings.HasPrefix(err.Error(), "linux.resources.devices: ") {
		t.Errorf("err = %v", err)
	}
}

// decide is the meaning of a list of rules: for each kind of access, the last
// rule for the device.
func decide(rules []rule, kind byte, major, minor int64, a access) bool {
	want := rule{kind: kind, major: major, minor: minor}
	for _, bit := range []access{mknod, reading, writing} {
		if a&bit == 0 {
			continue
		}
		allowed := false
		for i := range rules {
			if rules[i].covers(&want) && rules[i].access&bit != 0 {
				allowed = rules[i].allow
			}
		}
		if !allowed {
			return false
		}
	}
	return true
}

// kernel1 is the check of version 1: one exception has to cover all access
// that is asked for, or, by default allowed, none may be for any of it.
func kernel1(ws []Write, kind byte, major, minor int64, a access) bool {
	var e exceptions
	for _, w := range ws {
		allow := w.File == "devices.allow"
		if w.Value == "a" {
			e = exceptions{allow: allow}
			continue
		}
		var r rule
		f := strings.FieldsFunc(w.Value, func(c rune) bool { return c == ' ' || c == ':' })
		r.kind, r.major, r.minor = f[0][0], parseAny(f[1]), parseAny(f[2])
		r.access, _ = accessOf(f[3])
		e.rules = append(e.rules, r)
	}
	want := rule{kind: kind, major: major, minor: minor}
	for i := range e.rules {
		x := &e.rules[i]
		if x.covers(&want) && (!e.allow && a&^x.access == 0 || e.allow && a&x.access != 0) {
			return !e.allow
		}
	}
	return e.allow
}

func parseAny(s string) int64 {
	if s == "*" {
		return anyNumber
	}
	n := int64(0)
	for _, c := range s {
		n = 10*n + int64(c-'0')
	}
	return n
}

// run interprets a device program as the kernel would.
func run(t *testing.T, code []byte, kind byte, major, minor uint32, a access) bool {
	t.Helper()
	var reg [11]uint64
	ctx := map[int16]uint32{0: uint32(a)<<16 | kindNumber(kind), 4: major, 8: minor}
	for pc := 0; pc*8 < len(code); pc++ {
		in := code[pc*8:]
		dst, src := in[1]&15, in[1]>>4
		off, imm := int16(binary.LittleEndian.Uint16(in[2:])), binary.LittleEndian.Uint32(in[4:])
		switch in[0] {
		case bpfLoad32:
			reg[dst] = uint64(ctx[off])
		case bpfMove:
			reg[dst] = uint64(int64(int32(imm)))
		case bpfMove32:
			reg[dst] = uint64(uint32(reg[src]))
		case bpfAnd32:
			reg[dst] = uint64(uint32(reg[dst]) & imm)
		case bpfRight32:
			reg[dst] = uint64(uint32(reg[dst]) >> imm)
		case bpfNotEq32:
			if uint32(reg[dst]) != imm {
				pc += int(off)
			}
		case bpfAny32:
			if uint32(reg[dst])&imm != 0 {
				pc += int(off)
			}
		case bpfJump:
			pc += int(off)
		case bpfExit:
			return reg[0] == 1
		default:
			t.Fatalf("instruction %d: unknown code %#x", pc, in[0])
		}
	}
	t.Fatal("the program has no end")
	return false
}

func TestDeviceRulesMeanTheSameOnBothVersions(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pick := func() *int64 {
		return []*int64{nil, num(1), num(3), num(5), num(8)}[rng.IntN(5)]
	}
	expressed := 0
	for range 1500 {
		var list []device
		for range 1 + rng.IntN(6) {
			d := device{Allow: rng.IntN(2) == 0, Type: []string{"", "a", "b", "c", "c"}[rng.IntN(5)], Major: pick(), Minor: pick()}
			d.Access = []string{"", "r", "w", "m", "rw", "rm", "rwm", "rwm"}[rng.IntN(8)]
			list = append(list, d)
		}
		c := compiler{l: v1Only}
		rules, ok := c.rules(list)
		if !ok {
			t.Fatal(c.faults)
		}
		code := program(rules)
		ws := c.deviceWrites(rules)
		if len(c.faults) == 0 {
			expressed++
		}
		for _, kind := range []byte{'b', 'c'} {
			for _, major := range []int64{1, 3, 5, 8, 136} {
				for _, minor := range []int64{0, 1, 3, 5, 8} {
					for a := mknod; a <= allAccess; a++ {
						want := decide(rules, kind, major, minor, a)
						if got := run(t, code, kind, uint32(major), uint32(minor), a); got != want {
							t.Fatalf("%s: program says %v for %c %d:%d %s, want %v", ruleText(rules), got, kind, major, minor, a, want)
						}
						if len(c.faults) > 0 {
							continue
						}
						// access from two exceptions that only overlap isn't one: the
						// kernel denies it, which is the safe side
						if got := kernel1(ws, kind, major, minor, a); got && !want || got != want && !split(ws) {
							t.Fatalf("%s:\n%s\nversion 1 says %v for %c %d:%d %s, want %v", ruleText(rules), strings.Join(writes(ws), "\n"), got, kind, major, minor, a, want)
						}
					}
				}
			}
		}
	}
	if expressed < 500 {
		t.Errorf("only %d of 1500 lists could be expressed on version 1", expressed)
	}
}

// split says that two exceptions overlap without one covering the other.
func split(ws []Write) bool {
	for _, a := range ws {
		for _, b := range ws {
			if strings.Contains(a.Value, ":* ") && strings.Contains(b.Value, " *:") {
				return true
			}
		}
	}
	return false
}
