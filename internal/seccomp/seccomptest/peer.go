// Package seccomptest has what the seccomp compiler is held against, in its own
// tests and in hack/bench: libseccomp, and programs whose calls were recorded. It
// doesn't know the compiler.
package seccomptest

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Archs are libseccomp's words for those that it has, as of 2.5.
var Archs = map[specs.Arch]string{
	specs.ArchX86: "x86", specs.ArchX86_64: "x86_64", specs.ArchX32: "x32", specs.ArchARM: "arm", specs.ArchAARCH64: "aarch64",
	specs.ArchMIPS: "mips", specs.ArchMIPS64: "mips64", specs.ArchMIPS64N32: "mips64n32",
	specs.ArchMIPSEL: "mipsel", specs.ArchMIPSEL64: "mipsel64", specs.ArchMIPSEL64N32: "mipsel64n32",
	specs.ArchPPC: "ppc", specs.ArchPPC64: "ppc64", specs.ArchPPC64LE: "ppc64le", specs.ArchS390: "s390", specs.ArchS390X: "s390x",
	specs.ArchPARISC: "parisc", specs.ArchPARISC64: "parisc64", specs.ArchRISCV64: "riscv64",
}

// libseccomp's settings of SCMP_FLTATR_CTL_OPTIMIZE: List is its default.
const (
	List = 1
	Tree = 2
)

// A Peer is a process that compiles profiles with libseccomp.
type Peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

//go:embed testdata/libseccomp.c
var source string

// Start makes the program in dir, and starts it. The error is Absent where that
// can't be made.
func Start(dir string) (*Peer, error) {
	program := filepath.Join(dir, "libseccomp")
	cc := exec.Command("cc", "-O2", "-o", program, "-x", "c", "-", "-lseccomp")
	cc.Stdin = strings.NewReader(source)
	if out, err := cc.CombinedOutput(); err != nil {
		return nil, &Absent{fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))}
	}
	p := &Peer{cmd: exec.Command(program)}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	return p, p.cmd.Start()
}

// Absent is the error of a host without a C compiler, or without libseccomp and
// its headers.
type Absent struct{ err error }

func (e *Absent) Error() string {
	return "no C compiler or no libseccomp with its headers: " + e.err.Error()
}
func (e *Absent) Unwrap() error { return e.err }

// Close ends the process.
func (p *Peer) Close() error {
	p.in.Close()
	return p.cmd.Wait()
}

// A Filter is what libseccomp made of a profile.
type Filter struct {
	Code    []unix.SockFilter
	Unknown []string      // calls that it doesn't know
	Took    time.Duration // from seccomp_init to seccomp_export_bpf
	Err     error         // its own, with its errno
}

// Compile has libseccomp compile a profile as runc does. err is a process that
// answers no more.
func (p *Peer) Compile(s *specs.LinuxSeccomp, setting int) (f Filter, err error) {
	if _, err := io.WriteString(p.in, words(s, setting)); err != nil {
		return f, err
	}
	for {
		line, err := p.out.ReadString('\n')
		if err != nil {
			return f, fmt.Errorf("the program with libseccomp: %w", err)
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "unknown":
			f.Unknown = append(f.Unknown, rest)
		case "error":
			var errno unix.Errno
			fmt.Sscan(rest, &errno)
			f.Err = fmt.Errorf("%s: %w", rest, errno)
			return f, nil
		case "program":
			n := 0
			if _, err := fmt.Sscan(rest, &f.Took, &n); err != nil {
				return f, err
			}
			f.Code = make([]unix.SockFilter, n)
			for i := range f.Code {
				c := &f.Code[i]
				if _, err := fmt.Fscanln(p.out, &c.Code, &c.Jt, &c.Jf, &c.K); err != nil {
					return f, err
				}
			}
			return f, nil
		}
	}
}

// Number is what libseccomp's table of an ABI has for a name; negative if nothing.
func (p *Peer) Number(abi specs.Arch, name string) (number int32, err error) {
	fmt.Fprintln(p.in, "number", Archs[abi], name)
	_, err = fmt.Fscanf(p.out, "number %d\n", &number)
	return number, err
}
