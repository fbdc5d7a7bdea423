package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// sysnums reads the SYS_ constants of x/sys for an architecture.
func sysnums(t *testing.T, arch Arch) map[string]uint16 {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Skipf("the source of x/sys is not here: %v", err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "unix", "zsysnum_linux_"+arch.String()+".go"))
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]uint16{}
	for _, m := range regexp.MustCompile(`(?m)^\s*SYS_(\w+)\s*=\s*(\d+)`).FindAllStringSubmatch(string(b), -1) {
		n, err := strconv.ParseUint(m[2], 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		numbers[strings.ToLower(m[1])] = uint16(n)
	}
	if len(numbers) < 300 {
		t.Fatalf("only %d numbers", len(numbers))
	}
	return numbers
}

func TestEachCallHasTheKernelsNumber(t *testing.T) {
	if len(calls) != int(Write)+1 {
		t.Fatalf("%d rows for %d calls", len(calls), Write+1)
	}
	for _, arch := range []Arch{AMD64, ARM64} {
		numbers := sysnums(t, arch)
		for c := Capset; c <= Write; c++ {
			number, ok := numbers[c.Name()]
			if !ok || c.Number(arch) != number {
				t.Errorf("%s: %q has number %d, not %d", arch, c.Name(), number, c.Number(arch))
			}
		}
	}
}

func TestAnArchIsFoundByGosName(t *testing.T) {
	for _, a := range []Arch{AMD64, ARM64} {
		if got, ok := ArchOf(a.String()); !ok || got != a {
			t.Errorf("%s: got %s, %v", a, got, ok)
		}
	}
	if a, ok := ArchOf("riscv64"); ok {
		t.Errorf("riscv64 is %s", a)
	}
	if _, ok := ArchOf(runtime.GOARCH); !ok {
		t.Skip("no stage for " + runtime.GOARCH)
	}
}

// A name beside a constant of x/sys must be that constant's name, less its package.
func TestEachFlagHasTheKernelsName(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, 0)
	if err != nil {
		t.Skipf("the package's source is not here: %v", err)
	}
	seen := 0
	ast.Inspect(f, func(n ast.Node) bool {
		pair, ok := n.(*ast.CompositeLit)
		if !ok || len(pair.Elts) != 2 {
			return true
		}
		text, ok := pair.Elts[1].(*ast.BasicLit)
		if !ok {
			return true
		}
		name, _ := strconv.Unquote(text.Value)
		if c, ok := pair.Elts[0].(*ast.SelectorExpr); ok && c.Sel.Name != strings.TrimPrefix(name, "_") {
			t.Errorf("unix.%s is called %s", c.Sel.Name, name)
		}
		seen++
		return true
	})
	if seen < 150 {
		t.Errorf("only %d names", seen)
	}
}

// In a set, a name whose bits hold another's must come first, or it would never be printed.
func TestEachFlagOfASetCanBePrinted(t *testing.T) {
	for _, names := range append(sets[:], openFlagNames, resolveNames, cloneNames, accessNames, schedFlagNames,
		policyFlagNames, socketFlagNames, fdFlagNames, deviceFlagNames, personalityNames,
		landlockFSNames, landlockNetNames, landlockScopeNames) {
		for _, n := range names {
			if got := set(names, n.value); got != n.name {
				t.Errorf("%s prints as %s", n.name, got)
			}
		}
	}
	for _, names := range append(enums[:], accessModeNames, nodeNames, ambientNames, policyNames, ioprioClassNames, memoryPolicyNames, socketTypeNames) {
		for _, n := range names {
			if got := enum(names, n.value); got != n.name {
				t.Errorf("%s prints as %s", n.name, got)
			}
		}
	}
}

func TestWhatHasNoNameIsPrintedAsANumber(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{set(atNames, 0), "0"}, {set(atNames, 0x40000000), "0x40000000"}, {set(atNames, 0x40001000), "AT_EMPTY_PATH|0x40000000"},
		{enum(sigHowNames, 9), "0x9"}, {errnoName(4000), "4000"}, {capability(77), "77"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}
