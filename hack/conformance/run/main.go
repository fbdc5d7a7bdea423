// Command run runs every test that shows a row of the checklist, writes
// docs/conformance.md, and prints how many rows hold: "N of N". Its exit status
// is 1 unless all do.
//
//	go run ./hack/conformance/run [-also EVENTS]... [-only EVENTS]
//	go run ./hack/conformance/run -keep
//
// It is called in the tree's root, and its containers need root. EVENTS are a file of
// `go test -json`: -also are those of another machine, of hack/vm/cgroups for
// example; with -only no test is run. -keep writes the page anew with the results
// that it has: where tests were added or renamed.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/minirt/minirt/hack/conformance/checklist"
)

const (
	module = "github.com/minirt/minirt"
	page   = "docs/conformance.md"
)

func main() {
	status, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		status = 1
	}
	os.Exit(status)
}

func run(args []string) (status int, err error) {
	groups, err := checklist.Read()
	if err == nil {
		err = checklist.Scan(".", checklist.Rows(groups))
	}
	if err != nil {
		return 1, err
	}
	if slices.Equal(args, []string{"-keep"}) {
		return 0, keep(groups)
	}
	results, only := checklist.Results{}, false
	for ; len(args) > 1 && (args[0] == "-also" || args[0] == "-only"); args = args[2:] {
		only = only || args[0] == "-only"
		f, err := os.Open(args[1])
		if err == nil {
			err = errors.Join(results.Add(f, module), f.Close())
		}
		if err != nil {
			return 1, err
		}
	}
	if len(args) > 0 {
		return 1, errors.New("usage: run [-also EVENTS]... [-only EVENTS] | -keep")
	}
	if !only {
		if err := runTests(groups, results); err != nil {
			return 1, err
		}
	}
	tools, err := checklist.ReadTools()
	if err != nil {
		return 1, err
	}
	if err := os.WriteFile(page, []byte(checklist.Page(groups, results.Of, tools)), 0o644); err != nil {
		return 1, err
	}
	return tell(os.Stdout, groups, results), nil
}

func keep(groups []*checklist.Group) error {
	tools, err := checklist.ReadTools()
	if err != nil {
		return err
	}
	have, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	return os.WriteFile(page, []byte(checklist.Page(groups, checklist.Told(string(have)), tools)), 0o644)
}

// tell prints what doesn't hold, and how many rows do.
func tell(w io.Writer, groups []*checklist.Group, results checklist.Results) (status int) {
	for _, r := range checklist.Rows(groups) {
		if result := results.Of(r); result != "pass" && result != "exempt" {
			fmt.Fprintf(w, "%s %s: %v\n", r.ID, result, r.Tests)
			status = 1
		}
	}
	hold, bind, exempt := checklist.Count(groups, results.Of)
	fmt.Fprintf(w, "%d of %d rows hold, %d exempt\n", hold, bind, exempt)
	return status
}

// runTests runs the tests of one package after the other: they share the machine.
func runTests(groups []*checklist.Group, results checklist.Results) error {
	tests := map[string][]string{}
	for _, r := range checklist.Rows(groups) {
		for _, t := range r.Tests {
			name, _, _ := strings.Cut(t.Name, "/")
			if !slices.Contains(tests[t.Package], name) {
				tests[t.Package] = append(tests[t.Package], name)
			}
		}
	}
	for pkg, names := range tests {
		c := exec.Command("go", "test", "-json", "-count=1", "-timeout=20m", "-run", "^("+strings.Join(names, "|")+")$", "./"+pkg)
		c.Stderr = os.Stderr
		out, err := c.Output()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			return err
		}
		if bytes.Contains(out, []byte(`"Action":"build-fail"`)) {
			return fmt.Errorf("%s can't be built", pkg)
		}
		if err := results.Add(bytes.NewReader(out), module); err != nil {
			return err
		}
	}
	return nil
}
