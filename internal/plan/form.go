package plan

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"golang.org/x/sys/unix"
)

// form says how an argument is printed.
type form uint8

const (
	hex form = iota
	dec
	unsigned
	oct
	fd
	str
	strv
	ptr
	bytes
	errno
	openFlags
	openHow
	atFlags
	treeFlags
	moveFlags
	cloneFlags
	mountFlags
	mountAttr
	mountAttrs
	umountFlags
	accessMode
	fsconfigCommand
	cloexec1
	closeRange
	fcntlCommand
	keyctlCommand
	ioctlRequest
	prctlOption
	prctlArg
	rlimitResource
	rlimit
	sigHow
	sigset
	signalfdFlags
	seccompOperation
	seccompFlags
	nodeMode
	device
	personality
	ioprioWho
	schedAttr
	capHeader
	capData
	groups
)

// sets and enums are the forms that one table prints.
var sets = [...][]name{
	openFlags: openFlagNames, atFlags: atNames, treeFlags: treeNames, moveFlags: moveNames, cloneFlags: cloneNames,
	mountFlags: mountNames, mountAttr: attrNames, umountFlags: umountNames, signalfdFlags: signalfdName,
	seccompFlags: seccompFlagName, closeRange: closeRangeNames, cloexec1: cloexec1Names,
}

var enums = [...][]name{
	accessMode: accessNames, fsconfigCommand: fsconfigNames, fcntlCommand: fcntlNames, keyctlCommand: keyctlNames,
	ioctlRequest: ioctlNames, prctlOption: prctlNames, sigHow: sigHowNames, seccompOperation: seccompNames,
	personality: personalities, ioprioWho: ioprioWhoNames,
}

// constant prints a constant argument of step s.
func (p *Plan) constant(s *Step, i int, f form) string {
	v := s.Args[i]
	if int(f) < len(sets) && sets[f] != nil {
		return set(sets[f], v)
	}
	if int(f) < len(enums) && enums[f] != nil {
		return enum(enums[f], v)
	}
	switch f {
	case dec:
		return strconv.FormatInt(int64(v), 10)
	case unsigned:
		return strconv.FormatUint(uint64(uint32(v)), 10)
	case oct:
		return "0" + strconv.FormatUint(v, 8)
	case fd:
		if int64(v) == unix.AT_FDCWD {
			return "AT_FDCWD"
		}
		return strconv.FormatInt(int64(v), 10)
	case errno:
		return unix.ErrnoName(unix.Errno(v))
	case prctlArg:
		return prctlArgument(s.Args[0], v)
	case rlimitResource:
		return kernel.RlimitName(int(v))
	case nodeMode:
		return set(nodeNames, v&unix.S_IFMT) + "|0" + strconv.FormatUint(v&^unix.S_IFMT, 8)
	case device:
		return "makedev(" + strconv.Itoa(int(unix.Major(v))) + ", " + strconv.Itoa(int(unix.Minor(v))) + ")"
	case str, strv, ptr, bytes, openHow, mountAttrs, rlimit, sigset, schedAttr, capHeader, capData, groups:
		if v == 0 {
			return "NULL"
		}
	}
	return "0x" + strconv.FormatUint(v, 16)
}

func prctlArgument(option, v uint64) string {
	switch option {
	case unix.PR_CAPBSET_DROP:
		if n := kernel.CapabilityName(int(v)); n != "" {
			return n
		}
	case unix.PR_CAP_AMBIENT:
		return enum(ambientNames, v)
	}
	return strconv.FormatInt(int64(v), 10)
}

// memory prints what an argument points to in Data.
func (p *Plan) memory(s *Step, i int, f form) string {
	at := int(s.Args[i])
	if at > len(p.Data) {
		return "?"
	}
	b := p.Data[at:]
	switch f {
	case str, prctlArg:
		return quote(cString(b))
	case bytes:
		return quote(string(b[:min(int(s.Args[i+1]), len(b))]))
	case strv:
		return p.vector(b, at)
	case openHow:
		return "{" + set(openFlagNames, word(b, 0)) + ", " + set(resolveNames, word(b, 2)) + "}"
	case mountAttrs:
		return mountAttributes(b)
	case rlimit:
		return "{" + limit(word(b, 0)) + ", " + limit(word(b, 1)) + "}"
	case sigset, schedAttr, capHeader:
		return "{0x" + strconv.FormatUint(word(b, 0), 16) + "}"
	case capData:
		e, q, h := capSets(b)
		return "{effective 0x" + e + ", permitted 0x" + q + ", inheritable 0x" + h + "}"
	case groups:
		return groupList(b, int(s.Args[0]))
	}
	return "data+" + strconv.Itoa(at)
}

func mountAttributes(b []byte) string {
	s := "{+" + set(attrNames, word(b, 0)) + ", -" + set(attrNames, word(b, 1))
	if v := word(b, 2); v != 0 {
		s += ", " + set(mountNames, v)
	}
	return s + "}"
}

func limit(v uint64) string {
	if v == unix.RLIM_INFINITY {
		return "RLIM_INFINITY"
	}
	return strconv.FormatUint(v, 10)
}

// capSets takes the three sets out of the two halves of struct __user_cap_data_struct.
func capSets(b []byte) (effective, permitted, inheritable string) {
	half := func(i int) uint64 {
		if len(b) < 24 {
			return 0
		}
		return uint64(binary.LittleEndian.Uint32(b[4*i:]))
	}
	hexa := func(i int) string { return strconv.FormatUint(half(i)|half(i+3)<<32, 16) }
	return hexa(0), hexa(1), hexa(2)
}

func groupList(b []byte, n int) string {
	var s []string
	for i := 0; i < n && 4*i+4 <= len(b); i++ {
		s = append(s, strconv.Itoa(int(binary.LittleEndian.Uint32(b[4*i:]))))
	}
	return "[" + strings.Join(s, ", ") + "]"
}

// vector prints the strings of argv or envp, whose pointers are fixups.
func (p *Plan) vector(b []byte, at int) string {
	var s []string
	for _, f := range p.fixups {
		if !f.Writable && int(f.Offset) == at {
			s = append(s, quote(cString(p.Data[f.Target:])))
			at += 8
		}
	}
	return "[" + strings.Join(s, ", ") + "]"
}

func word(b []byte, i int) uint64 {
	if len(b) < 8*i+8 {
		return 0
	}
	return binary.LittleEndian.Uint64(b[8*i:])
}

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

func quote(s string) string { return strconv.Quote(s) }
