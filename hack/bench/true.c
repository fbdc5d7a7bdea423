//go:build ignore

// The container's program: it ends at once.
int main(void) { return 0; }
