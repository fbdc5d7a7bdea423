package main

import "strings"

// weights say how often programs make a call, beside those that aren't here: in
// a filter's search tree they are nearer to the root. They are what strace -c
// shows of shells, interpreters, servers and build tools, rounded: the order of
// size is what counts. internal/seccomp/seccomptest/testdata/traces has three such programs.
var weights = weigh([]weighed{
	{100, "read write close openat futex epoll_pwait epoll_wait newfstatat fstat stat"},
	{50, "mmap lseek recvfrom sendto recvmsg sendmsg poll ppoll writev fcntl ioctl rt_sigaction rt_sigprocmask pread64 pwrite64"},
	{50, "fstat64 stat64 _llseek mmap2 fcntl64 fstatat64"}, // the same in ABIs of 32 bits
	{20, "munmap mprotect brk madvise accept4 epoll_ctl setsockopt getsockname nanosleep clock_nanosleep access readlink getdents64 wait4 statx"},
	{8, `execve clone clone3 socket connect select pselect6 unlink unlinkat faccessat2 readlinkat rt_sigreturn sigaltstack
		getpid gettid getuid sched_yield clock_gettime gettimeofday fadvise64 dup2 pipe2 prlimit64 getrandom set_robust_list rseq
		prctl arch_prctl getxattr lgetxattr fsync fdatasync io_uring_enter tgkill kill rename mkdir exit exit_group`},
})

// weighed are calls of one weight.
type weighed struct {
	weight uint8
	names  string
}

func weigh(list []weighed) map[string]uint8 {
	all := map[string]uint8{}
	for _, w := range list {
		for _, name := range strings.Fields(w.names) {
			all[name] = w.weight
		}
	}
	return all
}
