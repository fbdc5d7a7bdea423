// Command syscalls writes the system call tables of internal/seccomp.
//
// Its only source is golang.org/x/sys/unix, whose zsysnum_linux_*.go files are
// made from the kernel's own headers: raising that module's version in go.mod
// and running go generate is all that a new kernel asks for. What those files
// don't have, the x32 ABI of x86-64 and ARM's private calls, stands in extra.go,
// each with its place in the kernel's source.
//
//	go generate ./internal/seccomp
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("o", "zsyscalls.go", "file to write")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "syscalls:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	dir, err := sysDir()
	if err != nil {
		return err
	}
	src, err := generate(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(out, src, 0o644)
}
