package main

// x32Bit marks a call of the x32 ABI (__X32_SYSCALL_BIT of asm/unistd.h).
const x32Bit = 0x40000000

// x32Own are the calls that have a number of their own in the x32 ABI: the
// rows marked "x32" of arch/x86/entry/syscalls/syscall_64.tbl. They begin at
// x32OwnBase, and the kernel adds no more of them (comment in that file).
const x32OwnBase = x32Bit + 512

var x32Own = []string{
	"rt_sigaction", "rt_sigreturn", "ioctl", "readv", "writev", "recvfrom",
	"sendmsg", "recvmsg", "execve", "ptrace", "rt_sigpending", "rt_sigtimedwait",
	"rt_sigqueueinfo", "sigaltstack", "timer_create", "mq_notify", "kexec_load",
	"waitid", "set_robust_list", "get_robust_list", "vmsplice", "move_pages",
	"preadv", "pwritev", "rt_tgsigqueueinfo", "recvmmsg", "sendmmsg",
	"process_vm_readv", "process_vm_writev", "setsockopt", "getsockopt",
	"io_setup", "io_submit", "execveat", "preadv2", "pwritev2",
}

// only64 are the calls that x32 doesn't have at all: the rows marked "64" of
// the same file that have no "x32" row beside them.
var only64 = []string{
	"_sysctl", "create_module", "epoll_ctl_old", "epoll_wait_old",
	"get_kernel_syms", "get_thread_area", "map_shadow_stack", "nfsservctl", "query_module",
	"set_thread_area", "uselib", "vserver",
}

// armPrivate are ARM's own calls, from __ARM_NR_BASE + 1 on
// (arch/arm/include/uapi/asm/unistd.h).
const armPrivateBase = 0x0f0001

var armPrivate = []string{"breakpoint", "cacheflush", "usr26", "usr32", "set_tls", "get_tls"}
