package explain

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// unseen are the fields of which the kernel tells nothing, with those below them,
// and why. Other platforms' blocks mean nothing here. Where in is given and has
// something to say, there is a row.
var unseen = [...]struct {
	field, why string
	in         func(s *specs.Spec) string
}{
	{"ociVersion", "the kernel knows of no such thing", func(s *specs.Spec) string { return s.Version }},
	{"process.consoleSize", "a terminal's size follows the one who looks at it", consoleSize},
	{"process.user.username", "another platform's", nil},
	{"process.commandLine", "another platform's", nil},
	{"process.execCPUAffinity", "it is for exec alone", affinity},
	{"hooks", "the kernel knows of no such thing", hooks},
	{"annotations", "the kernel knows of no such thing", annotations},
	{"linux.seccomp.defaultErrnoRet", inFilter, nil},
	{"linux.seccomp.architectures", inFilter, nil},
	{"linux.seccomp.flags", inFilter, nil},
	{"linux.seccomp.listenerPath", inFilter, nil},
	{"linux.seccomp.listenerMetadata", inFilter, nil},
	{"linux.seccomp.syscalls", inFilter, nil},
	{"linux.mountLabel", "where it is in force, it stands among the options of the mounts", func(s *specs.Spec) string {
		if s.Linux == nil {
			return ""
		}
		return s.Linux.MountLabel
	}},
	{"solaris", "another platform's", nil},
	{"windows", "another platform's", nil},
	{"vm", "another platform's", nil},
	{"zos", "another platform's", nil},
	{"freebsd", "another platform's", nil},
}

const inFilter = "the kernel tells how many filters there are, and only a tracer what is in them"

// unseen tells of the fields that the kernel doesn't.
func (x *explanation) unseen() {
	for _, u := range unseen {
		if u.in == nil {
			continue
		}
		if config := u.in(x.s); config != "" {
			x.unknown(u.field, config, u.why)
		}
	}
}

func consoleSize(s *specs.Spec) string {
	if s.Process == nil || s.Process.ConsoleSize == nil {
		return ""
	}
	return strconv.FormatUint(uint64(s.Process.ConsoleSize.Width), 10) + "x" + strconv.FormatUint(uint64(s.Process.ConsoleSize.Height), 10)
}

func affinity(s *specs.Spec) string {
	if s.Process == nil || s.Process.ExecCPUAffinity == nil {
		return ""
	}
	return strings.TrimSpace(s.Process.ExecCPUAffinity.Initial + " " + s.Process.ExecCPUAffinity.Final)
}

func hooks(s *specs.Spec) string {
	if s.Hooks == nil {
		return ""
	}
	h := s.Hooks
	var parts []string
	for _, l := range [...]struct {
		name string
		n    int
	}{
		{"prestart", len(h.Prestart)}, //nolint:staticcheck // deprecated, and still there
		{"createRuntime", len(h.CreateRuntime)}, {"createContainer", len(h.CreateContainer)},
		{"startContainer", len(h.StartContainer)}, {"poststart", len(h.Poststart)}, {"poststop", len(h.Poststop)},
	} {
		if l.n > 0 {
			parts = append(parts, strconv.Itoa(l.n)+" "+l.name)
		}
	}
	return strings.Join(parts, ", ")
}

func annotations(s *specs.Spec) string { return words(sortedKeys(s.Annotations)) }
