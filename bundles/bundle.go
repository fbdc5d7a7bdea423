// Package bundles opens, describes and makes OCI bundles: directories that hold
// a config.json and, mostly, a root file system (bundle.md).
//
// Its laws:
//   - Open reads bytes and judges none of them: what config.json means is the
//     business of package spec. Only a regular file of at most 16 MiB is read;
//     a FIFO, a device or an endless file is refused, and never waited for.
//   - Default and Rootless are values. They probe nothing: what depends on the
//     host comes in as a parameter.
//   - Write never replaces a file, Deploy never touches a directory that holds
//     something already, and AddTo changes nothing that is there; what fails
//     leaves nothing behind.
//   - What is asked for in the same words, of the same files, becomes the same
//     bundle, byte for byte.
//
// The attacker is whoever prepared the bundle's directory before a privileged
// caller opens it, or has something added to its root file system. Deploy, on
// the other hand, trusts the machine it runs on: it copies programs, libraries
// and files that the caller could use here as well.
package bundles

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Bundle is an opened bundle.
type Bundle struct {
	Dir    string // absolute path of the directory; its symbolic links are kept where the path allows
	Config []byte // the bytes of config.json, unread
}

// Open reads the config.json of the bundle at dir, which may be relative to the
// working directory and reached through symbolic links. A missing directory
// gives ENOENT, a missing config.json the text that scripts look for.
func Open(dir string) (*Bundle, error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, fmt.Errorf("bundle %q: %w", dir, err)
	}
	defer unix.Close(fd)
	abs, err := absolute(dir, fd)
	if err != nil {
		return nil, fmt.Errorf("bundle %q: %w", dir, err)
	}
	config, err := readConfig(fd)
	if errors.Is(err, unix.ENOENT) {
		return nil, &NoConfig{abs}
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", abs+"/config.json", err)
	}
	return &Bundle{Dir: abs, Config: config}, nil
}

// NoConfig is a bundle without a config.json.
type NoConfig struct{ Dir string }

func (e *NoConfig) Error() string {
	return fmt.Sprintf("JSON specification file config.json not found in %q", e.Dir)
}

// Rootfs gives the absolute path of root.path, which is either absolute or
// relative to the bundle (config.md, Root). The path isn't cleaned: behind a
// symbolic link only the kernel knows what ".." means.
func (b *Bundle) Rootfs(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	if b.Dir == "/" {
		return "/" + path
	}
	return b.Dir + "/" + path
}

// absolute makes dir, open as fd, absolute. The links of the path stay, since
// the user knows the bundle by that name; but where taking out a ".." by its
// letters alone would lead elsewhere, the kernel's own path is taken.
func absolute(dir string, fd int) (string, error) {
	abs, err := lexical(dir)
	if err != nil {
		return "", err
	}
	if !strings.Contains(dir, "..") {
		return abs, nil
	}
	var named, real unix.Stat_t
	if err := unix.Fstat(fd, &real); err != nil {
		return "", err
	}
	if unix.Stat(abs, &named) == nil && named.Dev == real.Dev && named.Ino == real.Ino {
		return abs, nil
	}
	return os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
}

// lexical makes dir absolute by its letters. It is filepath.Abs, whose package
// would be initialised behind others that cost time (package cmd/minirt/hot).
func lexical(dir string) (string, error) {
	if path.IsAbs(dir) {
		return path.Clean(dir), nil
	}
	wd, err := os.Getwd()
	return path.Join(wd, dir), err
}
