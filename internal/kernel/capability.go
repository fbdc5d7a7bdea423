package kernel

// capabilities are the names of capabilities(7) without their prefix, each at
// its number. The list ends with the newest, CHECKPOINT_RESTORE of Linux 5.9.
var capabilities = [...]string{
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
	"SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
	"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
	"CHECKPOINT_RESTORE",
}

// Numbers of the capabilities that minirt itself needs by name (capabilities(7)).
const (
	CapSetgid      = 6
	CapSetuid      = 7
	CapSysAdmin    = 21
	CapSysResource = 24
	// LastCapability is the highest number in this package's table. A newer
	// kernel may have more: see /proc/sys/kernel/cap_last_cap.
	LastCapability = len(capabilities) - 1
)

// Capability gives the number of a capability named as the spec names it
// ("CAP_CHOWN"); ok is false for a name that this table does not have.
func Capability(name string) (number int, ok bool) {
	const prefix = "CAP_"
	if len(name) <= len(prefix) || name[:len(prefix)] != prefix {
		return 0, false
	}
	for i, c := range capabilities {
		if c == name[len(prefix):] {
			return i, true
		}
	}
	return 0, false
}

// CapabilityName gives the spec's name of a capability number, or "" where the table has none.
func CapabilityName(number int) string {
	if number < 0 || number >= len(capabilities) {
		return ""
	}
	return "CAP_" + capabilities[number]
}
