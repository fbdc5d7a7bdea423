package plan_test

import (
	"encoding/binary"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// forms has a step for each form that an argument can have. Run in new uts and
// mount namespaces, none of them leaves anything behind.
var forms = []func(p *plan.Plan) *plan.Step{
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Test, 5) },
	func(p *plan.Plan) *plan.Step {
		header := binary.LittleEndian.AppendUint32(nil, unix.LINUX_CAPABILITY_VERSION_3)
		return p.Do(plan.Capset, p.Bytes(append(header, 0, 0, 0, 0)), p.Bytes(halves(1<<unix.CAP_CHOWN|1<<unix.CAP_KILL, 1<<unix.CAP_CHOWN|1<<unix.CAP_KILL, 0, 0, 0, 0)))
	},
	func(p *plan.Plan) *plan.Step {
		header := binary.LittleEndian.AppendUint32(nil, unix.LINUX_CAPABILITY_VERSION_3)
		all := ^uint32(0) &^ (1 << unix.CAP_SYS_ADMIN)
		return p.Do(plan.Capset, p.Bytes(append(header, 0, 0, 0, 0)), p.Bytes(halves(all, all, 1<<unix.CAP_KILL, 0x1ff, 0x1ff, 1<<(unix.CAP_BPF-32))))
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Chdir, "/nowhere \"at all\"\n") },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Chroot, "/nowhere") },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.ClockGettime, unix.CLOCK_REALTIME, nil) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Clone, unix.CLONE_PARENT|int(unix.SIGCHLD), nil, nil, nil, nil)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Close, 99) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.CloseRange, 97, uint64(1<<32-1), unix.CLOSE_RANGE_CLOEXEC)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Connect, 99, p.Bytes([]byte("\x01\x00/run/nowhere\x00")), 15)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Dup3, 99, 98, unix.O_CLOEXEC) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Dup3, 99, 98, 0) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Execve, "/nowhere", p.Strings([]string{"sh", "-c", ""}), p.Strings([]string{"A=1", "B="}))
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.ExitGroup, 3) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Faccessat2, unix.AT_FDCWD, "/nowhere", unix.X_OK|unix.R_OK, unix.AT_EACCESS)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Faccessat2, 99, "x", 0, 0) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Fchdir, 99) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Fchmodat, 99, "x", 0o4755) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Fchown, 99, 1000, -1) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Fchownat, 99, "", 0, uint64(1<<32-1), unix.AT_EMPTY_PATH)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Fcntl, 99, unix.F_SETFD, unix.FD_CLOEXEC) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Fcntl, 99, unix.F_SETFL, unix.O_RDWR|unix.O_NONBLOCK) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Fcntl, 99, unix.F_DUPFD_CLOEXEC, 3) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Fsconfig, 99, unix.FSCONFIG_SET_STRING, "source", "proc", 0)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Fsconfig, 99, unix.FSCONFIG_CMD_CREATE, nil, nil, 0)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Fsmount, 99, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Fsopen, "nofs", unix.FSOPEN_CLOEXEC) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.IoprioSet, 1, 0, 2<<13|4) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Ioctl, 99, unix.TIOCSCTTY, 0) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Ioctl, 99, unix.TIOCSPTLCK, p.Bytes(make([]byte, 4))) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Ioctl, 99, unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Ioctl, 99, unix.TIOCSWINSZ, p.Bytes([]byte{24, 0, 80, 0, 0, 0, 0, 0}))
	},
	func(p *plan.Plan) *plan.Step {
		request := append([]byte("lo"), make([]byte, 38)...)
		request[16] = unix.IFF_UP
		return p.Do(plan.Ioctl, 99, unix.SIOCSIFFLAGS, p.Bytes(request))
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Keyctl, unix.KEYCTL_JOIN_SESSION_KEYRING, "web") },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.LandlockCreateRuleset, p.Words(unix.LANDLOCK_ACCESS_FS_EXECUTE|unix.LANDLOCK_ACCESS_FS_REFER, 0, 0), 24, 0)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.LandlockCreateRuleset, p.Words(0, unix.LANDLOCK_ACCESS_NET_BIND_TCP, unix.LANDLOCK_SCOPE_SIGNAL), 24, 0)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.LandlockAddRule, 99, unix.LANDLOCK_RULE_PATH_BENEATH, p.Buffer("path_beneath", make([]byte, 16)), 0)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.LandlockAddRule, 99, 2, p.Words(unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, 443), 0)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.LandlockRestrictSelf, 99, 0) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Mkdirat, 99, "x", 0o755) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Mknodat, 99, "x", unix.S_IFCHR|0o666, 1<<8|3) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Mknodat, 99, "x", unix.S_IFBLK|0o660, 259<<8|1) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Mknodat, 99, "x", unix.S_IFIFO, 0) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Mmap, 0x10000000, 65536, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_FIXED, 99, 0)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Mount, "none", "/nowhere", "tmpfs", unix.MS_NOSUID|unix.MS_REC|unix.MS_SLAVE, "size=64k")
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Mount, nil, "/nowhere", nil, 0, nil) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.MountSetattr, 99, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE,
			p.Words(unix.MOUNT_ATTR_RDONLY, unix.MOUNT_ATTR_NOSYMFOLLOW, unix.MS_PRIVATE, 0), 32)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.MountSetattr, 99, "", unix.AT_EMPTY_PATH, p.Words(unix.MOUNT_ATTR_IDMAP, unix.MOUNT_ATTR__ATIME, 0, 7), 32)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.MoveMount, 99, "", 98, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Munmap, 0x10000000, 65536) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Openat, 99, "x", unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Openat, unix.AT_FDCWD, "/nowhere", unix.O_CLOEXEC) },
	func(p *plan.Plan) *plan.Step {
		how := p.How(unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_MAGICLINKS)
		return p.Do(plan.Openat2, 99, "proc", how, plan.HowSize)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Openat2, 99, "x", p.How(unix.O_RDWR|unix.O_CREAT, 0o644, 0), plan.HowSize)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.OpenTree, 99, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE|unix.AT_EMPTY_PATH)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.OpenTreeAttr, 99, "", unix.OPEN_TREE_CLONE|unix.AT_EMPTY_PATH, p.Words(unix.MOUNT_ATTR_RDONLY, 0, 0, 0), 32)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Personality, 8) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.PivotRoot, "/nowhere", ".") },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Ppoll, nil, 0, p.Words(0, 0), nil, 8) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Prctl, unix.PR_SET_PDEATHSIG, int(unix.SIGKILL)) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Prctl, unix.PR_SET_DUMPABLE, 0) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Prctl, unix.PR_SET_NAME, "minirt") },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Prctl, unix.PR_CAPBSET_DROP, unix.CAP_SYS_MODULE) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Prctl, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Prctl, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_NET_RAW, 0, 0)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Prctl, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Prlimit64, 0, unix.RLIMIT_NOFILE, p.Words(1000, 1001), nil)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Prlimit64, 0, unix.RLIMIT_CORE, p.Words(0, 1<<64-1), nil)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Read, 99, nil, 0) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.RtSigprocmask, unix.SIG_BLOCK, p.Words(1<<(unix.SIGCHLD-1)|1<<(unix.SIGTERM-1)), nil, 8)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.RtSigprocmask, unix.SIG_SETMASK, p.Words(^uint64(1<<(unix.SIGINT-1))), nil, 8)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.SchedSetaffinity, 0, 8, p.Words(5)) },
	func(p *plan.Plan) *plan.Step {
		attr := halves(48, unix.SCHED_FIFO, unix.SCHED_FLAG_RESET_ON_FORK, 0, 0, 3, 0, 0, 0, 0, 0, 0)
		return p.Do(plan.SchedSetattr, 0, p.Bytes(attr), 0)
	},
	func(p *plan.Plan) *plan.Step {
		attr := halves(48, unix.SCHED_DEADLINE, 0, 0, 0, 0, 10, 0, 30, 0, 30, 0)
		return p.Do(plan.SchedSetattr, 0, p.Bytes(attr), 0)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Seccomp, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_LOG|unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, nil)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Sendmsg, 99, nil, unix.MSG_NOSIGNAL) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.SetMempolicy, unix.MPOL_INTERLEAVE|unix.MPOL_F_STATIC_NODES, p.Words(1), 64)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Setdomainname, "example", 7) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Setgid, uint64(65534)) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Setgroups, 2, p.Bytes(halves(5, 65534))) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Setgroups, 0, nil) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Sethostname, "web", 3) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Setns, 99, unix.CLONE_NEWNET) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Setpriority, unix.PRIO_PROCESS, 0, 5) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Setsid) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Setuid, uint64(65534)) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Signalfd4, -1, p.Words(1<<(unix.SIGUSR1-1)), 8, unix.SFD_CLOEXEC)
	},
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Socket, unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Symlinkat, "/proc/self/fd", 99, "fd") },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Umask, 0) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Umask, 0o22) },
	func(p *plan.Plan) *plan.Step {
		return p.Do(plan.Umount2, "/nowhere", unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	},
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Unlinkat, 99, "x", unix.AT_REMOVEDIR) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Unlinkat, 99, "x", 0) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Unshare, unix.CLONE_NEWCGROUP|unix.CLONE_NEWTIME) },
	func(p *plan.Plan) *plan.Step { return p.Do(plan.Write, 99, p.Bytes([]byte("ready\x00\xff")), 7) },
}

func halves(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}
