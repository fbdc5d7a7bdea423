package image

import "strconv"

// remarks count what of an image isn't in its bundle.
type remarks [3]int

const (
	owners = iota
	devices
	xattrs
)

// texts say it, before the number.
var texts = [...]string{
	owners:  "entries of the image that have other owners, which only the host's root can give them: ",
	devices: "device nodes of the image that were left out, which only the host's root can make: ",
	xattrs:  "extended attributes of the image that were left out, since they belong to another machine, or the caller or the file system can't keep them: ",
}

func (r *remarks) tell(warn func(string)) {
	for kind, n := range r {
		if n > 0 {
			warn(texts[kind] + strconv.Itoa(n))
		}
	}
}
