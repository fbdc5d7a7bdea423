package spec

import (
	"slices"
	"sort"
	"strings"

	"github.com/minirt/minirt/internal/json"
)

// A checker collects what the rules find in one document.
type checker struct {
	doc, file        string
	faults, warnings []Fault
	undecoded        []string // paths that the decoder has complained of, where rules would see zeros
}

// A path is a place in the document, as a chain to its root, so that naming it
// costs nothing until somebody wants the text. The root is path{}.
type path struct {
	up    *path
	name  string
	index int // in the array of that name, from 1; 0 for the member itself
}

// member is the path of a member.
func (p *path) member(name string) path { return path{up: p, name: name} }

// item is the path of element i of the array that is a member.
func (p *path) item(name string, i int) path { return path{up: p, name: name, index: i + 1} }

func (p *path) String() string {
	if p.up == nil {
		return ""
	}
	text := json.Join(p.up.String(), p.name)
	if p.index > 0 {
		text = json.Index(text, p.index-1)
	}
	return text
}

// fault notes that a rule is broken.
func (c *checker) fault(at path, text string) { c.note(&c.faults, at, text) }

// warn notes what is allowed and odd.
func (c *checker) warn(at path, text string) { c.note(&c.warnings, at, text) }

func (c *checker) note(list *[]Fault, at path, text string) {
	if len(*list) > json.MaxFaults {
		return
	}
	f := Fault{Path: at.String(), Text: text, File: c.file}
	if c.isUndecoded(f.Path) {
		return
	}
	if len(*list) == json.MaxFaults {
		f.Path, f.Text = "", "too many faults, the rest is not told"
	}
	*list = append(*list, f)
}

// full tells that no further fault will be told, so that its text need not be made.
func (c *checker) full() bool { return len(c.faults) > json.MaxFaults }

// isUndecoded tells whether what stands at p is not what the document says.
func (c *checker) isUndecoded(p string) bool {
	return slices.ContainsFunc(c.undecoded, func(u string) bool { return isWithin(p, u) })
}

// isDoubtful tells whether the list at p is not wholly what the document says.
func (c *checker) isDoubtful(p string) bool {
	return slices.ContainsFunc(c.undecoded, func(u string) bool { return isWithin(p, u) || isWithin(u, p) })
}

// decoded takes the decoder's faults over. It is false if there is no use in looking further.
func (c *checker) decoded(faults []json.Fault) bool {
	whole := true
	for _, f := range faults {
		p := f.Path(c.doc)
		if f.Kind == json.NUL && mayHoldNUL(p) {
			continue
		}
		whole = whole && f.Kind != json.Syntax
		line, column := json.LineColumn(c.doc, f.Offset)
		if len(c.doc) > json.MaxSize {
			line, column = 0, 0
		}
		c.faults = append(c.faults, Fault{p, line, column, f.Text, c.file})
		c.undecoded = append(c.undecoded, p)
	}
	return whole
}

// opaque are the parts of the document whose strings never become C strings:
// they have no effect on Linux or are handed on as JSON.
var opaque = [...]string{
	"annotations", "linux.seccomp.listenerMetadata", "process.commandLine", "process.user.username",
	"solaris", "windows", "vm", "zos", "freebsd",
}

func mayHoldNUL(p string) bool {
	return slices.ContainsFunc(opaque[:], func(o string) bool { return isWithin(p, o) })
}

// isWithin tells whether p is a path or one below it.
func isWithin(p, above string) bool {
	rest, ok := strings.CutPrefix(p, above)
	return ok && (above == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

// finish places the faults that rules have found, and sorts them as the document is.
func (c *checker) finish(faults []Fault) []Fault {
	for i := range faults {
		if f := &faults[i]; f.Line == 0 && len(c.doc) <= json.MaxSize {
			offset, _ := json.Find(c.doc, f.Path)
			f.Line, f.Column = json.LineColumn(c.doc, offset)
		}
	}
	sort.SliceStable(faults, func(i, j int) bool { return faults[i].Before(&faults[j]) })
	return faults
}

// lastName gives the name at the end of a path.
func lastName(p string) string {
	if i := strings.LastIndexByte(p, '.'); i >= 0 && !strings.HasSuffix(p, "]") {
		return p[i+1:]
	}
	return p
}
