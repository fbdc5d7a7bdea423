package image

import (
	"os"
	"strings"

	"github.com/opencontainers/go-digest"
)

// A reference names an image: a layout, and a tag, a digest or neither.
type reference struct {
	layout string
	tag    string
	digest digest.Digest
}

// parseReference takes "LAYOUT", "LAYOUT:TAG" or "LAYOUT@ALGORITHM:DIGEST"
// apart. Colons may be in LAYOUT and, as in "docker.io/library/busybox:1.37", in
// TAG: LAYOUT is all of it if there is such a file, else the shortest part before
// a colon that is one, else the part before the first colon. What stands behind
// the @ of a layout that is there must be a digest: choose refuses another.
func parseReference(s string) reference {
	if isThere(s) {
		return reference{layout: s}
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		if d := digest.Digest(s[i+1:]); d.Validate() == nil || d != "" && isThere(s[:i]) {
			return reference{layout: s[:i], digest: d}
		}
	}
	for i := range len(s) {
		if s[i] == ':' && isThere(s[:i]) {
			return reference{layout: s[:i], tag: s[i+1:]}
		}
	}
	layout, tag, _ := strings.Cut(s, ":")
	return reference{layout: layout, tag: tag}
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
