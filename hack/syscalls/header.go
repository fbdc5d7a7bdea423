package main

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

// headers are the numbers of ABIs that x/sys doesn't have, from the kernel's
// own asm/unistd*.h: a line a call, and above them the header and its version.
//
//go:embed headers
var headers embed.FS

// lastOfHeaders is the newest call of the headers, set_mempolicy_home_node
// (Linux 5.17). The kernel gives newer ones the same number in all ABIs.
const lastOfHeaders = 450

// readHeader reads a file in headers, and adds what x/sys knows of newer calls.
func readHeader(dir, file string, base uint32) (map[string]uint32, error) {
	text, err := headers.ReadFile(path.Join("headers", file))
	if err != nil {
		return nil, err
	}
	calls := map[string]uint32{}
	for line := range strings.Lines(string(text)) {
		var name string
		var nr uint32
		if strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := fmt.Sscan(line, &name, &nr); err != nil {
			return nil, fmt.Errorf("headers/%s: %q: %w", file, line, err)
		}
		if !notCalls.MatchString(name) {
			calls[name] = base + nr
		}
	}
	generic, err := readAll(dir, []string{"arm64"})
	for name, nr := range generic {
		if nr > lastOfHeaders {
			calls[name] = base + nr
		}
	}
	return calls, err
}
