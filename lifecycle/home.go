package lifecycle

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/minirt/minirt/rootfs"
	"golang.org/x/sys/unix"
)

// home is the HOME that process.env lacks, as engines expect: from the
// image's /etc/passwd. It is read as SEC-45 wants: inside the root, a regular
// file, without waiting, and not more than a megabyte; else HOME is "/".
// Nothing is ever written there (SEC-46).
func (v *sight) home() string {
	p := v.spec.Process
	if p == nil || environment(p.Env, "HOME", "") != "" {
		return ""
	}
	for _, e := range p.Env {
		if strings.HasPrefix(e, "HOME=") {
			return ""
		}
	}
	b := v.passwd()
	for len(b) > 0 {
		line, rest, _ := bytes.Cut(b, []byte{'\n'})
		b = rest
		fields := bytes.Split(line, []byte{':'})
		if len(fields) >= 6 && string(fields[2]) == strconv.Itoa(int(p.User.UID)) && len(fields[5]) > 0 && fields[5][0] == '/' {
			return string(fields[5])
		}
	}
	return "/"
}

// passwd reads /etc/passwd as the container will see it: a file that is bound
// there, or the root's own.
func (v *sight) passwd() []byte {
	const limit = 1 << 20
	dir, name, resolve := v.host.Rootfs.Root, "etc/passwd", uint64(unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_MAGICLINKS)
	for i := range v.spec.Mounts {
		if m := &v.spec.Mounts[i]; strings.Trim(m.Destination, "/") == "etc/passwd" && rootfs.IsBind(m) {
			dir, name, resolve = "/", m.Source, 0
			if !strings.HasPrefix(name, "/") {
				name = v.bundle.Dir + "/" + name
			}
		}
	}
	root, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(root)
	fd, err := unix.Openat2(root, name, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY, Resolve: resolve})
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size > limit {
		return nil
	}
	b, err := readAll(fd, limit)
	if err != nil {
		return nil
	}
	return b
}
