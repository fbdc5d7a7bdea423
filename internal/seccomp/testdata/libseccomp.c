/*
 * Compiles a profile with libseccomp, as runc does it, for TestLibseccompDecidesTheSame.
 * Standard input, one word after the other:
 *   default action | arch name | rule action name count {index op value valueTwo} | end
 * Standard output: the program, as struct sock_filter. Standard error: names that
 * libseccomp doesn't know.
 */
#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *which, int err)
{
	fprintf(stderr, "%s %s: %s\n", what, which, strerror(-err));
	exit(1);
}

static void rule(scmp_filter_ctx ctx)
{
	char name[64];
	uint32_t action;
	unsigned count;
	struct scmp_arg_cmp args[6];

	if (scanf("%" SCNu32 " %63s %u", &action, name, &count) != 3 || count > 6)
		exit(2);
	for (unsigned i = 0; i < count; i++) {
		unsigned op;
		if (scanf("%u %u %" SCNu64 " %" SCNu64, &args[i].arg, &op, &args[i].datum_a, &args[i].datum_b) != 4)
			exit(2);
		args[i].op = op;
	}
	int nr = seccomp_syscall_resolve_name(name);
	if (nr == __NR_SCMP_ERROR) { /* older than the name: tell the test */
		fprintf(stderr, "%s\n", name);
		return;
	}
	int err = seccomp_rule_add_array(ctx, action, nr, count, args);
	if (err)
		fail("rule", name, err);
}

int main(void)
{
	scmp_filter_ctx ctx = NULL;
	char word[64];
	uint32_t action;

	while (scanf("%63s", word) == 1) {
		if (!strcmp(word, "default")) {
			if (scanf("%" SCNu32, &action) != 1)
				return 2;
			ctx = seccomp_init(action);
		} else if (!strcmp(word, "arch")) {
			if (scanf("%63s", word) != 1)
				return 2;
			int err = seccomp_arch_add(ctx, seccomp_arch_resolve_name(word));
			if (err && err != -EEXIST)
				fail("arch", word, err);
		} else if (!strcmp(word, "rule")) {
			rule(ctx);
		} else {
			break;
		}
	}
	int err = seccomp_export_bpf(ctx, 1);
	if (err)
		fail("export", "", err);
	return 0;
}
