// Package explain puts a container's configuration and what the kernel says of
// its process side by side.
//
// Its law: Explain is a pure function of the configuration and of facts, and Read
// alone takes those from the kernel, by /proc/PID. The directory of the process is
// opened once, and proven by its pidfd to be the process's own: whatever is read
// through it is of that process, or an error, even if its number is another's by
// then. What the kernel doesn't tell is a row that says so, never a guess; the
// fields that no kernel tells of stand in unseen.go, and a test holds that every
// field of the configuration is either in a row or there.
//
// The attacker is the container. It owns its file system and may change what
// /proc tells of it: its command line, its environment, its mounts. Rows show
// that, in quotes, and nothing is decided by it.
package explain

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// A Mark tells how the two sides of a row stand to each other.
type Mark uint8

// The marks of rows.
const (
	Same    Mark = iota // or the configuration asks for nothing
	Differs             // the kernel says something else
	Unknown             // the kernel doesn't tell, or not yet
)

func (m Mark) String() string { return [...]string{"same", "differs", "unknown"}[m] }

// A Row is a field of the configuration.
type Row struct {
	Field  string // the place in config.json; of what is there beside it, the place where it would stand
	Config string // what it says; "" for nothing
	Kernel string // what the kernel says
	Note   string // what there is to say about the two
	Mark   Mark
}

// Explain compares a configuration with facts, in the order of config.json.
func Explain(s *specs.Spec, f *Facts) []Row {
	x := &explanation{s: s, f: f, status: statusOf(f.Files["status"]), uids: mapOf(f.Files["uid_map"]), gids: mapOf(f.Files["gid_map"]), mounts: mountsOf(f.Files["mountinfo"])}
	x.process()
	x.root()
	x.names()
	x.configMounts()
	x.linux()
	x.unseen()
	return x.rows
}

// explanation is a comparison on its way.
type explanation struct {
	s          *specs.Spec
	f          *Facts
	rows       []Row
	status     map[string]string
	uids, gids []idRange
	mounts     []mount
}

// add adds a row. It has some seventy callers, and like told and unknown would
// make the program 30 KB larger if they all had its code.
//
//go:noinline
func (x *explanation) add(r Row) { x.rows = append(x.rows, r) }

// compare adds a row whose sides are the same if same says so, and to which note
// has something to say if not.
func (x *explanation) compare(field, config, kernel string, same bool, note string) {
	r := Row{Field: field, Config: config, Kernel: kernel}
	if !same {
		r.Mark, r.Note = Differs, note
	}
	x.add(r)
}

// late is compare for what the steps behind the gate put in force.
func (x *explanation) late(field, config, kernel string, same bool, note string) {
	if x.f.Waiting && !same {
		x.add(Row{field, config, kernel, "start puts it in force", Unknown})
		return
	}
	x.compare(field, config, kernel, same, note)
}

// unknown adds a row of what the kernel doesn't tell.
//
//go:noinline
func (x *explanation) unknown(field, config, why string) {
	x.add(Row{Field: field, Config: config, Note: why, Mark: Unknown})
}

// told gives what a file says; where it says nothing, there is a row about that.
//
//go:noinline
func (x *explanation) told(field, config string, r Reading) (text string, ok bool) {
	if r.Err != nil {
		x.unknown(field, config, "can't be read: "+r.Err.Error())
	}
	return r.Text, r.Err == nil
}

// linux are the chapters of config-linux.md.
func (x *explanation) linux() {
	x.namespaces()
	if x.s.Linux == nil {
		return
	}
	x.idMaps()
	x.sysctls()
	x.cgroups()
	x.devices()
	x.netDevices()
	x.seccomp()
	x.rootPropagation()
	x.hidden()
	x.resctrl()
	x.memoryPolicy()
	x.personality()
	x.timeOffsets()
}

// statusOf reads /proc/PID/status: "NAME:\tVALUE" a line (proc_pid_status(5)).
func statusOf(r Reading) map[string]string {
	m := make(map[string]string)
	for line := range strings.Lines(r.Text) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			m[name] = strings.TrimSpace(value)
		}
	}
	return m
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func yes(b bool) string { return strconv.FormatBool(b) }

func number(n int64) string { return strconv.FormatInt(n, 10) }

func natural(n uint64) string { return strconv.FormatUint(n, 10) }

// words are a list in one line.
func words(list []string) string { return strings.Join(list, " ") }
