/*
 * Compiles profiles with libseccomp, as runc does it, for the tests that compare.
 * Standard input, one word after the other, for each profile:
 *   profile OPTIMIZE DEFAULT-ACTION {arch NAME} {rule ACTION NAME COUNT {INDEX OP VALUE VALUETWO}} end
 * Or, for a look into its tables:
 *   number ARCH NAME
 * Standard output, a line each:
 *   unknown NAME                 a name that libseccomp doesn't have
 *   error NUMBER WHAT            an errno, and no program
 *   program NANOSECONDS LENGTH   how long it took, and then CODE JT JF K for each instruction
 *   number NUMBER                -1 where it doesn't have it
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct rule {
	uint32_t action;
	char name[64];
	unsigned count;
	struct scmp_arg_cmp args[6];
};

static struct rule rules[20000];
static char archs[32][64];

static void read_rule(struct rule *r)
{
	if (scanf("%" SCNu32 " %63s %u", &r->action, r->name, &r->count) != 3 || r->count > 6)
		exit(2);
	for (unsigned i = 0; i < r->count; i++) {
		unsigned op;
		if (scanf("%u %u %" SCNu64 " %" SCNu64, &r->args[i].arg, &op, &r->args[i].datum_a, &r->args[i].datum_b) != 4)
			exit(2);
		r->args[i].op = op;
	}
}

static int build(scmp_filter_ctx ctx, unsigned optimize, unsigned narchs, unsigned nrules, const char **what)
{
	int err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, optimize);
	for (unsigned i = 0; !err && i < narchs; i++) {
		err = seccomp_arch_add(ctx, seccomp_arch_resolve_name(archs[i]));
		*what = archs[i];
		if (err == -EEXIST)
			err = 0;
	}
	for (unsigned i = 0; !err && i < nrules; i++) {
		struct rule *r = &rules[i];
		int nr = seccomp_syscall_resolve_name(r->name);
		if (nr == __NR_SCMP_ERROR)
			continue;
		err = seccomp_rule_add_array(ctx, r->action, nr, r->count, r->args);
		*what = r->name;
		if (err == -EEXIST)
			err = 0;
	}
	return err;
}

static void profile(void)
{
	unsigned optimize, narchs = 0, nrules = 0;
	uint32_t action;
	char word[64];
	const char *what = "profile";

	if (scanf("%u %" SCNu32, &optimize, &action) != 2)
		exit(2);
	while (scanf("%63s", word) == 1 && strcmp(word, "end")) {
		if (!strcmp(word, "arch") && narchs < 32) {
			if (scanf("%63s", archs[narchs++]) != 1)
				exit(2);
		} else if (nrules < 20000) {
			read_rule(&rules[nrules++]);
		}
	}
	for (unsigned i = 0; i < nrules; i++)
		if (seccomp_syscall_resolve_name(rules[i].name) == __NR_SCMP_ERROR)
			printf("unknown %s\n", rules[i].name);

	int fd = memfd_create("program", 0);
	struct timespec begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	scmp_filter_ctx ctx = seccomp_init(action);
	int err = ctx ? build(ctx, optimize, narchs, nrules, &what) : -EINVAL;
	if (!err)
		err = seccomp_export_bpf(ctx, fd);
	clock_gettime(CLOCK_MONOTONIC, &end);
	seccomp_release(ctx);
	if (err) {
		printf("error %d %s\n", -err, what);
		close(fd);
		return;
	}
	struct sock_filter code[BPF_MAXINSNS];
	unsigned n = pread(fd, code, sizeof code, 0) / sizeof *code;
	close(fd);
	printf("program %ld %u\n", (end.tv_sec - begin.tv_sec) * 1000000000L + end.tv_nsec - begin.tv_nsec, n);
	for (unsigned i = 0; i < n; i++)
		printf("%u %u %u %u\n", code[i].code, code[i].jt, code[i].jf, code[i].k);
}

int main(void)
{
	char word[64], name[64];

	while (scanf("%63s", word) == 1) {
		if (!strcmp(word, "profile")) {
			profile();
		} else {
			if (scanf("%63s %63s", word, name) != 2)
				return 2;
			printf("number %d\n", seccomp_syscall_resolve_name_arch(seccomp_arch_resolve_name(word), name));
		}
		fflush(stdout);
	}
	return 0;
}
