package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/minirt/minirt/internal/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// peer is a process that compiles profiles with libseccomp, as runc does: the
// program of internal/seccomp's tests, whose words are told there.
type peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// libseccomp's settings of SCMP_FLTATR_CTL_OPTIMIZE.
const (
	peerList = 1
	peerTree = 2
)

func startPeer(t *tools) (*peer, error) {
	top, err := tree()
	if err != nil {
		return nil, err
	}
	program := filepath.Join(t.dir, "bin-libseccomp")
	source := filepath.Join(top, "internal/seccomp/testdata/libseccomp.c")
	if out, err := exec.Command("gcc", "-O2", "-o", program, source, "-lseccomp").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("no libseccomp with its headers: %w: %s", err, strings.TrimSpace(string(out)))
	}
	p := &peer{cmd: exec.Command(program)}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	return p, p.cmd.Start()
}

func (p *peer) close() {
	p.in.Close()
	p.cmd.Wait()
}

// The actions and the operators of Docker's profile, as numbers.
var (
	peerActions = map[specs.LinuxSeccompAction]uint32{specs.ActAllow: unix.SECCOMP_RET_ALLOW, specs.ActErrno: unix.SECCOMP_RET_ERRNO}
	peerOps     = map[specs.LinuxSeccompOperator]int{specs.OpNotEqual: 1, specs.OpLessThan: 2, specs.OpLessEqual: 3,
		specs.OpEqualTo: 4, specs.OpGreaterEqual: 5, specs.OpGreaterThan: 6, specs.OpMaskedEqual: 7}
	peerArchs = map[specs.Arch]string{specs.ArchX86: "x86", specs.ArchX86_64: "x86_64", specs.ArchX32: "x32"}
)

// compile gives the program, and how long libseccomp itself took for it.
func (p *peer) compile(s *specs.LinuxSeccomp, setting int) (code []seccomp.Instruction, took time.Duration, err error) {
	if _, err := io.WriteString(p.in, peerText(s, setting)); err != nil {
		return nil, 0, err
	}
	for {
		line, err := p.out.ReadString('\n')
		if err != nil {
			return nil, 0, fmt.Errorf("the program with libseccomp: %w", err)
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "error":
			return nil, 0, errors.New("libseccomp: errno " + rest)
		case "program":
			n := 0
			if _, err := fmt.Sscan(rest, &took, &n); err != nil {
				return nil, 0, err
			}
			code = make([]seccomp.Instruction, n)
			for i := range code {
				if _, err := fmt.Fscanln(p.out, &code[i].Code, &code[i].JT, &code[i].JF, &code[i].K); err != nil {
					return nil, 0, err
				}
			}
			return code, took, nil
		}
	}
}

// peerText is a profile in the words of the program.
func peerText(s *specs.LinuxSeccomp, setting int) string {
	var b strings.Builder
	action := func(word specs.LinuxSeccompAction, errno *uint) uint32 {
		a := peerActions[word]
		switch {
		case word != specs.ActErrno:
		case errno == nil:
			a |= uint32(unix.EPERM)
		default:
			a |= uint32(*errno)
		}
		return a
	}
	fallback := action(s.DefaultAction, s.DefaultErrnoRet)
	fmt.Fprintln(&b, "profile", setting, fallback)
	for _, a := range s.Architectures {
		fmt.Fprintln(&b, "arch", peerArchs[a])
	}
	for _, e := range s.Syscalls {
		a := action(e.Action, e.ErrnoRet)
		if a == fallback {
			continue
		}
		for _, name := range e.Names {
			fmt.Fprint(&b, "rule ", a, " ", name, " ", len(e.Args))
			for _, arg := range e.Args {
				fmt.Fprint(&b, " ", arg.Index, " ", peerOps[arg.Op], " ", arg.Value, " ", arg.ValueTwo)
			}
			fmt.Fprintln(&b)
		}
	}
	b.WriteString("end\n")
	return b.String()
}
