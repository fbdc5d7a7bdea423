package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// warnIfOpen warns of a directory that is there already, and that others can enter (SEC-39).
func warnIfOpen(dir string, warn func(string)) {
	if info, err := os.Stat(dir); err == nil && info.IsDir() && info.Mode()&0o011 != 0 {
		warn(fmt.Sprintf("others can enter %q, and run setuid programs that the image brings: take that right from them", dir))
	}
}

// errnoOf takes the words of package os off an error: what remains is the kernel's.
func errnoOf(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
