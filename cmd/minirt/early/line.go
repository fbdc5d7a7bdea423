package early

import "unsafe"

// line is a command line, as far as it is understood here, and what of the
// environment bears on it.
type line struct {
	root, log, id text
	euid          uint32
}

// The verbs; 0 is any other, and any form of these that isn't understood.
const (
	verbStart = 1 + iota
	verbDelete
)

// read reads the command line, and gives its verb. It says yes to fewer forms
// than package hot, which reads it again if nothing comes of it here.
//
//go:nosplit
func (l *line) read(b block) (verb int) {
	argc := int(address(b[0]))
	i := l.globals(b, argc)
	if i == 0 || i >= argc {
		return 0
	}
	switch {
	case is(b[1+i], "start"):
		verb = verbStart
	case is(b[1+i], "delete"):
		verb = verbDelete
	default:
		return 0
	}
	for i++; i < argc; i++ {
		arg := b[1+i]
		switch {
		case verb == verbDelete && (is(arg, "--force") || is(arg, "-f")):
		case l.id == nil && plainID(arg):
			l.id = arg
		default:
			return 0
		}
	}
	if l.id == nil || !l.surroundings(b, argc) {
		return 0
	}
	return verb
}

// globals reads the flags before the verb, and gives the verb's place; 0 if it
// doesn't understand one.
//
//go:nosplit
func (l *line) globals(b block, argc int) (verb int) {
	for i := 1; i < argc; i++ {
		arg := b[1+i]
		if *arg != '-' {
			return i
		}
		value := b[2+i] // the end of the arguments is a NULL
		switch {
		case is(arg, "--root"):
			l.root = value
		case is(arg, "--log"):
			l.log = value
		case is(arg, "--log-format"):
			if value == nil || !is(value, "json") && !is(value, "text") {
				return 0
			}
		default:
			return 0
		}
		if i++; value == nil || l.root != nil && !plainPath(l.root) {
			return 0
		}
	}
	return 0
}

// plainPath tells whether a path is absolute, and clean (path.Clean) but for dots.
//
//go:nosplit
func plainPath(p text) bool {
	if *p != '/' {
		return false
	}
	for last := *p; ; {
		p = skip(p, 1)
		if last == '/' && (*p == '/' || *p == '.' || *p == 0) {
			return false
		}
		if last = *p; last == 0 {
			return true
		}
	}
}

// plainID tells whether a word can be the name of a container's directory and
// nothing else. That it is a container's is for the directory to show.
//
//go:nosplit
func plainID(p text) bool {
	if *p == '-' || *p == '.' || *p == 0 {
		return false
	}
	for ; *p != 0; p = skip(p, 1) {
		if *p == '/' {
			return false
		}
	}
	return true
}

// surroundings reads what else decides: an environment that changes what the
// verb does, and rights that the caller hasn't (SEC-36), are Go's.
//
//go:nosplit
func (l *line) surroundings(b block, argc int) bool {
	i := argc + 2
	for ; b[i] != nil; i++ {
		if after(b[i], "NOTIFY_SOCKET=") != nil || l.root == nil && after(b[i], "XDG_RUNTIME_DIR=") != nil {
			return false
		}
	}
	if l.root == nil {
		l.root = unsafe.StringData("/run/minirt\x00")
	}
	const euid, secure = 12, 23 // AT_EUID, AT_SECURE
	found := 0
	for i++; b[i] != nil; i += 2 {
		switch value := address(b[i+1]); address(b[i]) {
		case euid:
			l.euid = uint32(value)
			found++
		case secure:
			if value != 0 {
				return false
			}
			found++
		}
	}
	return found == 2
}
