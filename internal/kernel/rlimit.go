package kernel

// rlimits are the resources of getrlimit(2) without their prefix, each at its
// number (asm-generic/resource.h; the same on amd64 and arm64).
var rlimits = [...]string{
	"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE",
	"MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME",
}

// Rlimit gives the number of a resource named as the spec names it ("RLIMIT_NOFILE").
func Rlimit(name string) (resource int, ok bool) {
	const prefix = "RLIMIT_"
	if len(name) <= len(prefix) || name[:len(prefix)] != prefix {
		return 0, false
	}
	for i, r := range rlimits {
		if r == name[len(prefix):] {
			return i, true
		}
	}
	return 0, false
}

// RlimitName gives the spec's name of a resource number, or "" where there is none.
func RlimitName(resource int) string {
	if resource < 0 || resource >= len(rlimits) {
		return ""
	}
	return "RLIMIT_" + rlimits[resource]
}
