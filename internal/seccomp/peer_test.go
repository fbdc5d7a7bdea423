package seccomp

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// libseccompArchs are libseccomp's words for those that it has, as of 2.5.
var libseccompArchs = map[specs.Arch]string{
	specs.ArchX86: "x86", specs.ArchX86_64: "x86_64", specs.ArchX32: "x32", specs.ArchARM: "arm", specs.ArchAARCH64: "aarch64",
	specs.ArchMIPS: "mips", specs.ArchMIPS64: "mips64", specs.ArchMIPS64N32: "mips64n32",
	specs.ArchMIPSEL: "mipsel", specs.ArchMIPSEL64: "mipsel64", specs.ArchMIPSEL64N32: "mipsel64n32",
	specs.ArchPPC: "ppc", specs.ArchPPC64: "ppc64", specs.ArchPPC64LE: "ppc64le", specs.ArchS390: "s390", specs.ArchS390X: "s390x",
	specs.ArchPARISC: "parisc", specs.ArchPARISC64: "parisc64", specs.ArchRISCV64: "riscv64",
}

// A peer is a process that compiles profiles with libseccomp.
type peer struct {
	in      io.Writer
	out     *bufio.Reader
	numbers map[specs.Arch]map[string]int32
}

// libseccomp's settings of SCMP_FLTATR_CTL_OPTIMIZE.
const (
	optimizeDefault = 1
	optimizeTree    = 2
)

func newPeer(t testing.TB) *peer {
	t.Helper()
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("filters are made for amd64 and arm64")
	}
	program := filepath.Join(t.TempDir(), "libseccomp")
	if out, err := exec.Command("cc", "-O2", "-o", program, "testdata/libseccomp.c", "-lseccomp").CombinedOutput(); err != nil {
		t.Skipf("no C compiler or no libseccomp with its headers: %v\n%s", err, out)
	}
	cmd := exec.Command(program)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error("the program with libseccomp:", err)
		}
	})
	return &peer{in, bufio.NewReader(out), map[specs.Arch]map[string]int32{}}
}

// A peerFilter is what libseccomp made of a profile.
type peerFilter struct {
	code    []Instruction
	unknown []string // calls that it doesn't know
	took    time.Duration
	err     error
}

// compile has libseccomp compile s as runc does.
func (p *peer) compile(t testing.TB, s *specs.LinuxSeccomp, optimize int) (f peerFilter) {
	t.Helper()
	var in strings.Builder
	fallback := returnValue(s.DefaultAction, s.DefaultErrnoRet)
	fmt.Fprintln(&in, "profile", optimize, fallback)
	for _, a := range s.Architectures {
		fmt.Fprintln(&in, "arch", libseccompArchs[a])
	}
	for _, entry := range s.Syscalls {
		if action := returnValue(entry.Action, entry.ErrnoRet); action != fallback {
			writeRules(&in, action, entry)
		}
	}
	in.WriteString("end\n")
	if _, err := io.WriteString(p.in, in.String()); err != nil {
		t.Fatal(err)
	}
	for {
		line, err := p.out.ReadString('\n')
		if err != nil {
			t.Fatal("the program with libseccomp: ", err)
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "unknown":
			f.unknown = append(f.unknown, rest)
		case "error":
			var errno unix.Errno
			fmt.Sscan(rest, &errno)
			f.err = fmt.Errorf("%s: %w", rest, errno)
			return f
		case "program":
			var n int
			fmt.Sscan(rest, &f.took, &n)
			for range n {
				var i Instruction
				fmt.Fscanln(p.out, &i.Code, &i.JT, &i.JF, &i.K)
				f.code = append(f.code, i)
			}
			return f
		}
	}
}

// number is what libseccomp's table of an ABI has for a name.
func (p *peer) number(t testing.TB, abi specs.Arch, name string) int32 {
	t.Helper()
	number, ok := p.numbers[abi][name]
	if ok {
		return number
	}
	fmt.Fprintln(p.in, "number", libseccompArchs[abi], name)
	if _, err := fmt.Fscanf(p.out, "number %d\n", &number); err != nil {
		t.Fatal(err)
	}
	if p.numbers[abi] == nil {
		p.numbers[abi] = map[string]int32{}
	}
	p.numbers[abi][name] = number
	return number
}

// knows tells whether libseccomp, which may be older than our tables, has the
// call that we know by that number, if we do.
func (p *peer) knows(t testing.TB, abi specs.Arch, number uint32) bool {
	name := nameOf(abi, number)
	return name == "" || libseccompArchs[abi] == "" || p.number(t, abi, name) == int32(number)
}

func writeRules(in io.Writer, action uint32, entry specs.LinuxSyscall) {
	for _, name := range entry.Names {
		one := entry
		one.Names = nil
		for _, r := range split(one) {
			fmt.Fprint(in, "rule ", action, " ", name, " ", len(r.Args))
			for _, a := range r.Args {
				op := slices.Index(operators[:], a.Op) + 1 // enum scmp_compare begins with _SCMP_CMP_MIN
				fmt.Fprint(in, " ", a.Index, " ", op, " ", a.Value, " ", a.ValueTwo)
			}
			fmt.Fprintln(in)
		}
	}
}
