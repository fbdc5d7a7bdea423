package lifecycle

import (
	"path"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What stands in the place of process.terminal, for RunOptions.Terminal.
const (
	TerminalAuto = "auto" // one of its own where the container would have the caller's, and has a devpts to make one
	TerminalYes  = "yes"
	TerminalNo   = "no"
)

// decideTerminal decides on process.terminal (PR-01). A container in the foreground
// would get the terminal that minirt itself has: it could change its modes, be
// heard after its end, and type into it (ioctl_tty(2), TIOCSTI). So it gets one
// of its own where a person sits at all three of the descriptors; a pipe stays
// what it is.
func (o *CreateOptions) decideTerminal(s *specs.Spec) {
	p := s.Process
	if p == nil {
		return
	}
	switch o.terminal {
	case TerminalYes:
		p.Terminal = true
	case TerminalNo:
		p.Terminal = false
	case TerminalAuto:
		if !p.Terminal && !o.detach && o.ConsoleSocket == "" && slices.ContainsFunc(s.Mounts, isDevpts) {
			p.Terminal = isTerminal(0) && isTerminal(1) && isTerminal(2)
		}
	}
}

func isDevpts(m specs.Mount) bool {
	return m.Type == "devpts" && path.Clean(m.Destination) == "/dev/pts"
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}
