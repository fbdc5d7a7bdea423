//go:build ignore

// A container's program that waits for ever.
#include <unistd.h>

int main(void) { for (;;) pause(); }
