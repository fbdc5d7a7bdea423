package image

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// The names of whiteouts (layer.md, Whiteouts).
const (
	whiteoutPrefix = ".wh."
	opaque         = ".wh..wh..opq"
	aufsPrefix     = ".wh..wh." // names of aufs' own, which old layers hold
)

type whiteout int

const (
	notWhiteout whiteout = iota
	oneName              // removes a name
	allNames             // removes all names in its directory
	aufs                 // means nothing
)

// whiteoutOf tells what the name of an entry stands for. A victim is always one
// name: never "", "." or "..", by which a layer could reach above.
func whiteoutOf(dir, base string) (w whiteout, victim string, err error) {
	for name := range strings.SplitSeq(dir, "/") {
		switch {
		case strings.HasPrefix(name, aufsPrefix):
			return aufs, "", nil
		case strings.HasPrefix(name, whiteoutPrefix):
			return notWhiteout, "", errors.New("lies in a whiteout")
		}
	}
	victim, ok := strings.CutPrefix(base, whiteoutPrefix)
	switch {
	case !ok:
		return notWhiteout, "", nil
	case base == opaque:
		return allNames, "", nil
	case strings.HasPrefix(base, aufsPrefix):
		return aufs, "", nil
	case victim == "" || victim == "." || victim == "..":
		return notWhiteout, "", errors.New("a whiteout of no name")
	}
	return oneName, victim, nil
}

// whiteout removes a name, or with "" all names, from a directory, if layers
// below have made them; what this layer has made stays, whether it came before
// the whiteout or comes after it.
func (u *unpacker) whiteout(dir, victim string) error {
	if !u.upper {
		return nil
	}
	p, err := u.find(dir)
	if err == unix.ENOENT || err == unix.ENOTDIR {
		return nil
	}
	if err != nil {
		return err
	}
	if victim == "" {
		err = removeAll(p, u.isNoted, 0)
	} else {
		err = remove(p, victim, u.isNoted, 0)
	}
	return errors.Join(err, p.leave())
}
