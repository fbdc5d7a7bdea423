package rootfs

import "github.com/opencontainers/runtime-spec/specs-go"

// Unmounts lists the places, relative to the root, that the stage of a container
// without a mount namespace may have mounted on, in the order in which they are
// unmounted. On some nothing may lie: a mask's path need not exist.
func Unmounts(s *specs.Spec, f *Facts) []string {
	var made []string
	for i := range s.Mounts {
		made = append(made, f.Mounts[i].Path)
		if o := parse(&s.Mounts[i]); s.Mounts[i].Type == "cgroup" && !o.bind() {
			for _, h := range f.Cgroups {
				if h.Name != "" && h.Source != "" {
					made = append(made, f.Mounts[i].Path+"/"+h.Name)
				}
			}
		}
	}
	for i := range f.Devices {
		if f.Devices[i].Source != "" {
			made = append(made, f.Devices[i].Path)
		}
	}
	if s.Process != nil && s.Process.Terminal {
		made = append(made, f.Console.Path)
	}
	if s.Linux != nil {
		for _, path := range s.Linux.ReadonlyPaths {
			made = append(made, Clean(path))
		}
		for _, path := range s.Linux.MaskedPaths {
			made = append(made, Clean(path))
		}
	}
	for i, j := 0, len(made)-1; i < j; i, j = i+1, j-1 {
		made[i], made[j] = made[j], made[i]
	}
	return made
}
