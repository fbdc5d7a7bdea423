/*
 * Makes system calls through the ABIs of x86-64, for TestEveryABIOfTheMachineIsFiltered.
 * Arguments: "i386" or "x86-64" and a number and a first argument, again and again.
 * Prints what the kernel returns, a line a call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long i386(unsigned nr, unsigned first)
{
	int ret;
	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(first), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static long x86_64(unsigned nr, unsigned long first)
{
	long ret;
	__asm__ volatile("syscall" : "=a"(ret) : "a"((unsigned long)nr), "D"(first), "S"(0L), "d"(0L) : "memory", "rcx", "r11");
	return ret;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 1; i + 2 < argc; i += 3) {
		unsigned nr = strtoul(argv[i + 1], NULL, 0);
		unsigned long first = strtoul(argv[i + 2], NULL, 0);
		long ret = strcmp(argv[i], "i386") ? x86_64(nr, first) : i386(nr, first);
		printf("%s %#x(%#lx): %ld\n", argv[i], nr, first, ret > 0 ? 1 : ret);
	}
	return 0;
}
