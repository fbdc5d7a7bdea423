//go:build ignore

// The kernel's floor: what `runc spec`'s default config asks of the kernel,
// by direct system calls, everything hard-coded: no config is read, nothing
// is checked, undone or reported. It is what a container costs with no
// runtime at all.
//
//   floor create STATE BUNDLE CGROUP PROGRAM   up to the gate, a FIFO named STATE
//   floor start  STATE                         opens the gate
//   floor delete STATE CGROUP                  removes the cgroups and the FIFO
//   floor run    STATE BUNDLE CGROUP PROGRAM   the same in one process, with no gate
//   floor exec   PID CGROUP PROGRAM            another process beside PID
//   floor true                                 a start of this program
//
// CGROUP is a path below each version 1 hierarchy of /proc/self/cgroup, mounted
// at /sys/fs/cgroup; its parent exists. With FLOOR_TICKS set, create and run
// print on stderr when each phase ended, in microseconds since main.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Not in every C library yet.
#define OPEN_TREE 428
#define MOVE_MOUNT 429
#define CLOSE_RANGE 436
#define MOUNT_SETATTR 442
#define OPEN_TREE_ATTR 467 // Linux 6.15
#define TREE_CLONE (1 | O_CLOEXEC)
#define TREE_RECURSIVE 0x8000
#define FROM_EMPTY_PATH 4
#define RANGE_CLOEXEC 4

#define CK(x) do { if ((long)(x) < 0) { dprintf(2, "floor: line %d: %s: %m\n", __LINE__, #x); _exit(1); } } while (0)
#define LEN(a) (sizeof(a) / sizeof *(a))

struct attr { uint64_t set, clr, propagation, userns; };
static const struct attr readonly = {1}, readonly_no_suid_dev_exec = {15};

static char hier[32][64]; // directories of /sys/fs/cgroup
static int nhier;
static const char *bundle, *group;
static char *program;

// ---- ticks -----------------------------------------------------------------

struct ticks { int n; struct { const char *name; struct timespec at; } t[32]; };
static struct ticks *parent_ticks, *child_ticks;
static struct timespec began;

static void tick(struct ticks *k, const char *name) {
	if (!k) return;
	k->t[k->n].name = name;
	clock_gettime(CLOCK_MONOTONIC, &k->t[k->n++].at);
}
static void print_ticks(const char *who, struct ticks *k) {
	for (int i = 0; k && i < k->n; i++)
		dprintf(2, "%s\t%s\t%ld\n", who, k->t[i].name,
			(k->t[i].at.tv_sec - began.tv_sec) * 1000000 + (k->t[i].at.tv_nsec - began.tv_nsec) / 1000);
}
static void start_ticks(void) {
	if (!getenv("FLOOR_TICKS")) return;
	clock_gettime(CLOCK_MONOTONIC, &began);
	parent_ticks = mmap(0, 8192, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0);
	child_ticks = (void *)((char *)parent_ticks + 4096);
}

// ---- cgroups ---------------------------------------------------------------

static void find_hierarchies(void) {
	char b[4096];
	int fd = open("/proc/self/cgroup", O_RDONLY|O_CLOEXEC); CK(fd);
	int n = read(fd, b, sizeof b - 1); CK(n); b[n] = 0; close(fd);
	for (char *l = strtok(b, "\n"); l; l = strtok(0, "\n")) {
		char *name = strchr(l, ':') + 1, *end = strchr(name, ':');
		if (name == end) continue; // version 2
		if (!strncmp(name, "name=", 5)) name += 5;
		sprintf(hier[nhier++], "%.*s", (int)(end - name), name);
	}
}
static void put(const char *dir, const char *file, const char *s) {
	char p[256]; sprintf(p, "%s/%s", dir, file);
	int fd = open(p, O_WRONLY|O_CLOEXEC); CK(fd); CK(write(fd, s, strlen(s))); close(fd);
}
static void copy_up(const char *dir, const char *file) {
	char p[256], b[256]; sprintf(p, "%s/../%s", dir, file);
	int fd = open(p, O_RDONLY|O_CLOEXEC); CK(fd);
	int n = read(fd, b, sizeof b - 1); CK(n); b[n] = 0; close(fd);
	put(dir, file, b);
}
static void allow_devices(const char *dir) {
	static const char *rules[] = {"c *:* m", "b *:* m", "c 1:3 rwm", "c 1:8 rwm", "c 1:7 rwm", "c 5:0 rwm",
		"c 1:5 rwm", "c 1:9 rwm", "c 136:* rwm", "c 5:2 rwm"};
	char p[256];
	put(dir, "devices.deny", "a");
	sprintf(p, "%s/devices.allow", dir);
	int fd = open(p, O_WRONLY|O_CLOEXEC); CK(fd);
	for (size_t i = 0; i < LEN(rules); i++) CK(write(fd, rules[i], strlen(rules[i])));
	close(fd);
}
static void make_cgroups(void) {
	char d[256];
	for (int i = 0; i < nhier; i++) {
		sprintf(d, "/sys/fs/cgroup/%s%s", hier[i], group);
		CK(mkdir(d, 0755));
		if (strstr(hier[i], "cpuset")) { copy_up(d, "cpuset.cpus"); copy_up(d, "cpuset.mems"); }
		if (strstr(hier[i], "devices")) allow_devices(d);
	}
}
static void remove_cgroups(void) {
	char d[256];
	for (int i = 0; i < nhier; i++) {
		sprintf(d, "/sys/fs/cgroup/%s%s", hier[i], group);
		int r;
		while ((r = rmdir(d)) < 0 && errno == EBUSY) usleep(200); // for a while after the last process
		CK(r);
	}
}
// A single-threaded process that moves itself by "tasks" waits for no RCU.
static void join_cgroups(int top) {
	char p[256];
	for (int i = 0; i < nhier; i++) {
		sprintf(p, "%s%s/tasks", hier[i], group);
		int fd = openat(top, p, O_WRONLY|O_CLOEXEC); CK(fd); CK(write(fd, "0", 1)); close(fd);
	}
}

// ---- the container's first process ------------------------------------------

static int tree(int at, const char *path, int flags, const struct attr *a) {
	int fd = syscall(OPEN_TREE_ATTR, at, path, TREE_CLONE|flags, a, sizeof *a);
	if (fd >= 0 || errno != ENOSYS) return fd;
	fd = syscall(OPEN_TREE, at, path, TREE_CLONE|flags);
	if (fd >= 0) CK(syscall(MOUNT_SETATTR, fd, "", AT_EMPTY_PATH|flags, a, sizeof *a));
	return fd;
}
static void mnt(const char *src, const char *dst, const char *type, int flags, const char *data) {
	CK(mount(src, dst, type, flags, data));
}
static void mount_all(void) {
	const int sx = MS_NOSUID|MS_NOEXEC, sxd = sx|MS_NODEV;
	mnt("proc", "/proc", "proc", 0, 0);
	mnt("tmpfs", "/dev", "tmpfs", MS_NOSUID|MS_STRICTATIME, "mode=755,size=65536k");
	CK(mkdir("/dev/pts", 0755)); mnt("devpts", "/dev/pts", "devpts", sx, "newinstance,ptmxmode=0666,mode=0620,gid=5");
	CK(mkdir("/dev/shm", 0755)); mnt("shm", "/dev/shm", "tmpfs", sxd, "mode=1777,size=65536k");
	CK(mkdir("/dev/mqueue", 0755)); mnt("mqueue", "/dev/mqueue", "mqueue", sxd, 0);
	mnt("sysfs", "/sys", "sysfs", sxd|MS_RDONLY, 0);
}
static void mount_cgroups(int top) {
	char p[256];
	mnt("tmpfs", "/sys/fs/cgroup", "tmpfs", MS_NOSUID|MS_NOEXEC|MS_NODEV, "mode=755");
	CK(chdir("/sys/fs/cgroup"));
	for (int i = 0; i < nhier; i++) {
		sprintf(p, "%s%s", hier[i], group);
		int fd = tree(top, p, 0, &readonly_no_suid_dev_exec); CK(fd);
		CK(mkdir(hier[i], 0755)); CK(syscall(MOVE_MOUNT, fd, "", AT_FDCWD, hier[i], FROM_EMPTY_PATH)); close(fd);
	}
	CK(syscall(MOUNT_SETATTR, AT_FDCWD, ".", 0, &readonly, sizeof readonly));
}
static void make_devices(void) {
	static const struct { char *name; int major, minor; } dev[] =
		{{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
	static const char *link[][2] = {{"pts/ptmx", "ptmx"}, {"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"},
		{"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}, {"/proc/kcore", "core"}};
	CK(chdir("/dev"));
	for (size_t i = 0; i < LEN(dev); i++) CK(mknod(dev[i].name, S_IFCHR|0666, makedev(dev[i].major, dev[i].minor)));
	for (size_t i = 0; i < LEN(link); i++) CK(symlink(link[i][0], link[i][1]));
}
static void hide_paths(void) {
	static const char *ro[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
	static const char *masked[] = {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
		"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"};
	for (size_t i = 0; i < LEN(ro); i++) {
		int fd = tree(AT_FDCWD, ro[i], TREE_RECURSIVE, &readonly);
		if (fd < 0) continue;
		CK(syscall(MOVE_MOUNT, fd, "", AT_FDCWD, ro[i], FROM_EMPTY_PATH)); close(fd);
	}
	for (size_t i = 0; i < LEN(masked); i++)
		if (mount("/dev/null", masked[i], 0, MS_BIND, 0) < 0 && errno == ENOTDIR)
			mnt("tmpfs", masked[i], "tmpfs", MS_RDONLY, "size=0k,nr_inodes=2");
}
static void drop_rights(void) {
	const uint32_t keep = 1u<<29 | 1u<<5 | 1u<<10; // AUDIT_WRITE, KILL, NET_BIND_SERVICE
	const struct rlimit nofile = {1024, 1024};
	CK(prlimit(0, RLIMIT_NOFILE, &nofile, 0));
	for (int i = 0; prctl(PR_CAPBSET_READ, i) >= 0; i++)
		if (i > 31 || !(keep>>i & 1)) CK(prctl(PR_CAPBSET_DROP, i));
	CK(syscall(SYS_setgroups, 0, 0)); CK(syscall(SYS_setgid, 0)); CK(syscall(SYS_setuid, 0));
	uint32_t head[2] = {0x20080522, 0}, caps[6] = {keep, keep};
	CK(syscall(SYS_capset, head, caps));
	CK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	umask(022);
}
static void become_program(void) {
	static char *const envp[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", 0};
	char *const argv[] = {program, 0};
	CK(syscall(CLOSE_RANGE, 3, ~0u, RANGE_CLOEXEC));
	execve(program, argv, envp);
	CK(-1);
}
static void first_process(int go, int ready, int gate) {
	char root[512], b;
	sprintf(root, "%s/rootfs", bundle);
	setsid(); umask(0);
	tick(child_ticks, "born in its namespaces");
	mnt(0, "/", 0, MS_REC|MS_SLAVE, 0);
	int old = open("/", O_PATH|O_DIRECTORY|O_CLOEXEC), top = open("/sys/fs/cgroup", O_PATH|O_DIRECTORY|O_CLOEXEC);
	mnt(root, root, 0, MS_BIND|MS_REC, 0); CK(chdir(root)); CK(syscall(SYS_pivot_root, ".", ".")); CK(chdir("/"));
	tick(child_ticks, "root bound, pivot_root");
	mount_all();
	tick(child_ticks, "six mounts");
	CK(read(go, &b, 1) - 1);
	tick(child_ticks, "waited for the cgroups");
	join_cgroups(top);
	tick(child_ticks, "cgroups joined");
	mount_cgroups(top);
	tick(child_ticks, "cgroups mounted");
	make_devices(); CK(sethostname("runc", 4));
	tick(child_ticks, "devices, links, host name");
	hide_paths();
	tick(child_ticks, "read-only and masked paths");
	CK(fchdir(old)); CK(umount2(".", MNT_DETACH)); CK(chdir("/"));
	CK(syscall(MOUNT_SETATTR, AT_FDCWD, "/", 0, &readonly, sizeof readonly));
	tick(child_ticks, "old root unmounted");
	drop_rights();
	tick(child_ticks, "rights dropped");
	if (gate >= 0) { CK(write(ready, "x", 1)); CK(read(gate, &b, 1) - 1); }
	become_program();
}

// ---- the verbs -------------------------------------------------------------

static int go[2], ready[2], gate = -1;
static char stack[65536] __attribute__((aligned(16)));
static int child(void *unused) { (void)unused; first_process(go[0], ready[1], gate); return 0; }

static pid_t begin(void) {
	CK(pipe2(go, O_CLOEXEC)); CK(pipe2(ready, O_CLOEXEC));
	pid_t pid = clone(child, stack + sizeof stack, CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET|SIGCHLD, 0);
	CK(pid);
	tick(parent_ticks, "cloned");
	make_cgroups();
	tick(parent_ticks, "cgroups made");
	CK(write(go[1], "x", 1));
	return pid;
}
static int create(const char *state) {
	char b;
	CK(mkfifo(state, 0600));
	gate = open(state, O_RDWR|O_CLOEXEC); CK(gate);
	begin();
	CK(read(ready[0], &b, 1) - 1);
	tick(parent_ticks, "at the gate");
	return 0;
}
static int start(const char *state) {
	int fd = open(state, O_WRONLY|O_CLOEXEC); CK(fd);
	CK(write(fd, "x", 1));
	return 0;
}
static int run(void) {
	int status;
	pid_t pid = begin();
	CK(waitpid(pid, &status, 0));
	tick(parent_ticks, "ended");
	remove_cgroups();
	tick(parent_ticks, "cgroups removed");
	return WEXITSTATUS(status);
}
// The namespaces are joined before the child is born: it is to be in the last of them.
static int exec_beside(const char *pid) {
	static const char *ns[] = {"ipc", "uts", "net", "pid", "mnt"};
	int fds[LEN(ns)], status;
	char p[64];
	for (size_t i = 0; i < LEN(ns); i++) {
		sprintf(p, "/proc/%s/ns/%s", pid, ns[i]);
		fds[i] = open(p, O_RDONLY|O_CLOEXEC); CK(fds[i]);
	}
	int top = open("/sys/fs/cgroup", O_PATH|O_DIRECTORY|O_CLOEXEC); CK(top);
	for (size_t i = 0; i < LEN(ns); i++) CK(setns(fds[i], 0));
	pid_t child = fork(); CK(child);
	if (!child) {
		join_cgroups(top);
		setsid();
		drop_rights();
		become_program();
	}
	CK(waitpid(child, &status, 0));
	return WEXITSTATUS(status);
}
int main(int n, char **v) {
	if (n == 2 && !strcmp(v[1], "true")) return 0;
	if (n == 3 && !strcmp(v[1], "start")) return start(v[2]);
	if (n < 4 || (n == 4 && strcmp(v[1], "delete"))) { dprintf(2, "usage: see floor.c\n"); return 2; }
	start_ticks();
	find_hierarchies();
	if (!strcmp(v[1], "delete")) { group = v[3]; remove_cgroups(); CK(unlink(v[2])); return 0; }
	group = v[n - 2]; program = v[n - 1];
	if (!strcmp(v[1], "exec")) return exec_beside(v[2]);
	bundle = v[3];
	int rc = v[1][0] == 'c' ? create(v[2]) : run();
	print_ticks("parent", parent_ticks); print_ticks("child", child_ticks);
	return rc;
}
