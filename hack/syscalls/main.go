// Command syscalls writes the system call tables of internal/seccomp.
//
// Its source is golang.org/x/sys/unix, whose zsysnum_linux_*.go files are made
// from the kernel's own headers: raising that module's version in go.mod and
// running go generate is all that a new kernel asks for. The version is written
// into the tables. Six ABIs that those files don't have stand in headers, which
// are the kernel's, too; their calls that are newer than these headers are those
// of x/sys, since the kernel gives them one number for all. The x32 ABI of x86-64
// and ARM's private calls stand in extra.go, each with its place in the kernel's
// source.
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
