package landlock

import (
	"strconv"

	"github.com/minirt/minirt/spec"
	"golang.org/x/sys/unix"
)

// abis are the versions of Landlock's ABI that brought accesses, by the kernel
// that has them first (landlock(7), Versions).
var abis = [...]struct {
	number int
	linux  string
	brings handled
	what   string
	lacks  string // what becomes of it on a kernel that hasn't that version
}{
	{1, "5.13", handled{fs: refer - 1}, "Landlock", "nothing of it is restricted"},
	{2, "5.19", handled{fs: refer}, "restricting moves to other directories", "it is always refused"},
	{3, "6.2", handled{fs: unix.LANDLOCK_ACCESS_FS_TRUNCATE}, "restricting truncation", "it is not restricted"},
	{4, "6.7", handled{net: unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP}, "restricting ports", "they are not restricted"},
	{5, "6.10", handled{fs: unix.LANDLOCK_ACCESS_FS_IOCTL_DEV}, "restricting ioctl", "it is not restricted"},
	{6, "6.12", handled{scope: unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL}, "restricting the scope", "they are not restricted"},
}

// Fit takes from the rules what a kernel lacks whose Landlock has the version abi
// of its ABI, 0 if it has none. All that it lacks is a fault, or if the
// annotations ask for their best effort, a warning.
func (r *Rules) Fit(abi int) (warnings []string, faults spec.Faults) {
	for _, v := range &abis {
		if v.number <= abi {
			continue
		}
		for _, a := range r.asked {
			if !a.handle.meets(v.brings) && abi > 0 || abi == 0 && v.number > 1 {
				continue
			}
			f := spec.Fault{Path: a.place, Text: v.what + " needs version " + strconv.Itoa(v.number) + " of Landlock's ABI (Linux " + v.linux + "), and this kernel has version " + strconv.Itoa(abi)}
			if abi == 0 {
				f.Text = "this kernel has no Landlock, or has it turned off (lsm= on its command line)"
			}
			if r.bestEffort {
				warnings = append(warnings, f.Path+": "+f.Text+": "+v.lacks)
			} else {
				faults = append(faults, f)
			}
		}
		r.FS, r.Net, r.Scope = r.FS&^v.brings.fs, r.Net&^v.brings.net, r.Scope&^v.brings.scope
	}
	r.forget()
	return warnings, faults
}

// forget drops the rules for what isn't handled any more.
func (r *Rules) forget() {
	paths, ports := r.Paths, r.Ports
	r.Paths, r.Ports = nil, nil
	for _, p := range paths {
		if p.Access &= r.FS; p.Access != 0 {
			r.Paths = append(r.Paths, p)
		}
	}
	for _, p := range ports {
		if p.Access &= r.Net; p.Access != 0 {
			r.Ports = append(r.Ports, p)
		}
	}
}

func (h handled) meets(o handled) bool { return h.fs&o.fs|h.net&o.net|h.scope&o.scope != 0 }
