package explain

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
)

// mountsOf reads mountinfo (proc_pid_mountinfo(5)):
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
func mountsOf(r Reading) (list []mount) {
	for line := range strings.Lines(r.Text) {
		before, after, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		f, s := strings.Fields(before), strings.Split(after, " ")
		if len(f) < 6 || len(s) < 3 {
			continue
		}
		id, err := strconv.Atoi(f[0])
		if err != nil {
			continue
		}
		list = append(list, mount{
			id: id, top: kernel.Unescape(f[3]), point: kernel.Unescape(f[4]), options: strings.Split(f[5], ","), spread: f[6:],
			fstype: s[0], source: kernel.Unescape(s[1]), super: strings.Split(s[2], ","),
		})
	}
	return list
}

// mountOf is the mount of that number; nil if there is none.
func (x *explanation) mountOf(id int) *mount {
	for i := range x.mounts {
		if x.mounts[i].id == id {
			return &x.mounts[i]
		}
	}
	return nil
}

// under tells whether a path is dir or lies below it; both are absolute.
func under(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
