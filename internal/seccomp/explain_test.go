package seccomp

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestAnExplanationIsWhatTheFilterDoes compares both, and the costs, for
// engines' profiles and for random ones.
func TestAnExplanationIsWhatTheFilterDoes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 5))
	profiles := []*specs.LinuxSeccomp{docker(t), moby(t), podman(t)}
	for range 300 {
		profiles = append(profiles, randomProfile(r))
	}
	for _, s := range profiles {
		x, _, err := Explain(s, "amd64")
		if err != nil {
			if !strings.Contains(err.Error(), "filter needs") {
				t.Fatal(err)
			}
			continue
		}
		f := mustCompile(t, s, "amd64")
		if diff := cmp.Diff(f, x.Filter); diff != "" {
			t.Fatal(diff)
		}
		for _, abi := range x.Architectures {
			for d := range randomCalls(r, 200) {
				c := Call{d.number, Audit(abi), d.args}
				if abi == specs.ArchX32 {
					c.Number |= x32Bit
				}
				if !Possible(abi, c.Number) {
					continue
				}
				value, cost := x.Filter.Run(c)
				simulated, steps, err := simulate(f.Instructions, callData{c.Number, c.Arch, c.Args})
				if err != nil || value != simulated || cost != steps {
					t.Errorf("Run gives %#x after %d, the kernel %#x after %d (%v)", value, cost, simulated, steps, err)
				}
				rules := x.Rules(abi, c.Number)
				i := slices.IndexFunc(rules, func(r Rule) bool { return r.Holds(c.Args) })
				if i < 0 || rules[i].Action != value {
					t.Fatalf("%s %+v is answered %#x; rules %+v", abi, c, value, rules)
				}
				if least, most := x.Filter.Cost(c.Number, c.Arch); cost < least || cost > most {
					t.Fatalf("%s %+v costs %d, not %d to %d", abi, c, cost, least, most)
				}
			}
		}
	}
}

// TestRulesNameTheirEntry has a rule of each kind.
func TestRulesNameTheirEntry(t *testing.T) {
	t.Parallel()
	arg := func(index uint, op specs.LinuxSeccompOperator, value, two uint64) specs.LinuxSeccompArg {
		return specs.LinuxSeccompArg{Index: index, Op: op, Value: value, ValueTwo: two}
	}
	s := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchX86}, Syscalls: []specs.LinuxSyscall{
		allow("read"),
		{Names: []string{"socket"}, Action: specs.ActTrace, ErrnoRet: number32(7), Args: []specs.LinuxSeccompArg{arg(0, specs.OpEqualTo, 16, 0), arg(2, specs.OpMaskedEqual, 255, 9)}},
		{Names: []string{"clone"}, Action: specs.ActErrno, ErrnoRet: number32(38)},
		{Names: []string{"socket"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{arg(0, specs.OpLessThan, 3, 0)}},
		{Names: []string{"shmat"}, Action: specs.ActKillProcess},
		{Names: []string{"write"}, Action: specs.ActErrno},
		allow("mseal"),
	}}
	x, _, err := Explain(s, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, q := range []struct {
		abi  specs.Arch
		name string
	}{{specs.ArchX86_64, "read"}, {specs.ArchX86_64, "socket"}, {specs.ArchX86_64, "clone"}, {specs.ArchX86_64, "write"}, {specs.ArchX86_64, "fork"}, {specs.ArchX86_64, "rseq_slice_yield"}, {specs.ArchX86, "ipc"}} {
		number, _ := numberOf(q.abi, q.name)
		for _, r := range x.Rules(q.abi, number) {
			got = append(got, strings.Join([]string{q.name, r.Path, ActionText(r.Action), r.When, r.Newest}, "|"))
		}
	}
	want := []string{
		"read|.syscalls[0]|ALLOW||",
		"socket|.syscalls[1]|TRACE 7|arg 0 == 0x10 and arg 2 & 0xff == 9|",
		"socket|.syscalls[3]|ALLOW|arg 0 < 3|",
		"socket|.defaultAction|ERRNO EPERM||",
		"clone|.syscalls[2]|ERRNO ENOSYS||",
		"write|.defaultAction|ERRNO EPERM||",
		"fork|.defaultAction|ERRNO EPERM||",
		"rseq_slice_yield|.defaultAction|ERRNO ENOSYS||mseal",
		"ipc|.syscalls[4]|KILL_PROCESS|arg 0 & 0xffff == 0x15|",
		"ipc|.defaultAction|ERRNO EPERM||",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAFilterUnderWhichNothingStartsIsRefused has the calls that are made behind it.
func TestAFilterUnderWhichNothingStartsIsRefused(t *testing.T) {
	t.Parallel()
	rule := func(action specs.LinuxSeccompAction, args []specs.LinuxSeccompArg, names ...string) specs.LinuxSyscall {
		return specs.LinuxSyscall{Names: names, Action: action, Args: args}
	}
	some := []specs.LinuxSeccompArg{{Index: 1, Op: specs.OpEqualTo}}
	for _, test := range []struct {
		name     string
		fallback specs.LinuxSeccompAction
		entries  []specs.LinuxSyscall
		want     string
	}{
		{"nothing allowed", specs.ActKill, nil, "linux.seccomp.defaultAction: answers execve with KILL_THREAD: no program can be started under this filter"},
		{"newer than the profile", specs.ActErrno, []specs.LinuxSyscall{allow("read")}, "linux.seccomp.defaultAction: answers execve with ERRNO ENOSYS: no program can be started under this filter"},
		{"by its entry", specs.ActAllow, []specs.LinuxSyscall{allow("read"), rule(specs.ActTrap, nil, "execve")}, "linux.seccomp.syscalls[1]: answers execve with TRAP: no program can be started under this filter"},
		{"for some arguments", specs.ActAllow, []specs.LinuxSyscall{rule(specs.ActErrno, some, "execve")}, ""},
		{"allowed for some arguments", specs.ActErrno, []specs.LinuxSyscall{rule(specs.ActAllow, some, "execve")}, ""},
		{"left to an agent", specs.ActNotify, nil, ""},
		{"left to a tracer", specs.ActErrno, []specs.LinuxSyscall{rule(specs.ActTrace, nil, "execve")}, ""},
		{"read refused", specs.ActAllow, []specs.LinuxSyscall{rule(specs.ActErrno, nil, "read")}, ""},
		{"read refused, and an agent is to come", specs.ActAllow, []specs.LinuxSyscall{rule(specs.ActNotify, nil, "mount"), rule(specs.ActErrno, nil, "read")},
			"linux.seccomp.syscalls[1]: answers read with ERRNO EPERM: no program can be started under this filter"},
		{"write refused, and an agent is to come", specs.ActErrno, []specs.LinuxSyscall{allow("read", "execve", "close"), rule(specs.ActNotify, nil, "mount")},
			"linux.seccomp.defaultAction: answers write with ERRNO EPERM: no program can be started under this filter"},
		{"close refused, and an agent is to come", specs.ActNotify, []specs.LinuxSyscall{rule(specs.ActKillProcess, nil, "close")},
			"linux.seccomp.syscalls[0]: answers close with KILL_PROCESS: no program can be started under this filter"},
		{"some refused, and an agent is to come", specs.ActNotify, []specs.LinuxSyscall{rule(specs.ActErrno, some, "close", "write", "read")}, ""},
	} {
		for _, goarch := range []string{"amd64", "arm64"} {
			s := &specs.LinuxSeccomp{DefaultAction: test.fallback, Syscalls: test.entries}
			if f, _, err := Compile(s, goarch); errorText(err) != test.want || (f == nil) != (err != nil) {
				t.Errorf("%s: %v, want %s", test.name, err, test.want)
			}
		}
	}
}

// TestTheTextOfAProgramIsReadable is golden.
func TestTheTextOfAProgramIsReadable(t *testing.T) {
	t.Parallel()
	jumps := Filter{Instructions: []Instruction{{Code: opLoad, K: 20}, {Code: opGreater, JF: 1, K: 10}, {Code: opJump, K: 0}, {Code: opReturn, K: unix.SECCOMP_RET_TRACE | 3}}}
	if diff := cmp.Diff("   0  load arg 0 high\n   1  if arg 0 high > 0xa go to 2, else 3\n   2  go to 3\n   3  return TRACE 3\n", jumps.Text()); diff != "" {
		t.Error(diff)
	}
	s := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, DefaultErrnoRet: number32(uint(unix.ENOSYS)), Syscalls: []specs.LinuxSyscall{
		{Names: []string{"socket"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Index: 0, Value: 0x1_0000_00ff, ValueTwo: 16, Op: specs.OpMaskedEqual}}},
	}}
	want := `   0  load arch
   1  if arch == SCMP_ARCH_X86_64 go to 2, else 15
   2  load number
   3  if number >= 42 (connect) go to 12, else 4
   4  if number >= 41 (socket) go to 5, else 14
   5  load arg 0 high
   6  and 1
   7  if arg 0 high & 1 == 0 go to 8, else 14
   8  load arg 0 low
   9  and 0xff
  10  if arg 0 low & 0xff == 0x10 go to 11, else 14
  11  return ALLOW
  12  if number >= 0x40000000 (read) go to 13, else 14
  13  if number >= 0xffffffff go to 14, else 15
  14  return ERRNO ENOSYS
  15  return KILL_THREAD
`
	got := mustCompile(t, s, "amd64").Text()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
