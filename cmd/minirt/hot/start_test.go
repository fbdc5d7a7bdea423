package hot_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// built is a minirt.
func built(t *testing.T) string {
	binary := t.TempDir() + "/minirt"
	build := exec.Command("go", "build", "-o", binary, "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// initialised are the packages that have done something before the end of a
// program that succeeds.
func initialised(t *testing.T, binary string, args ...string) (packages []string) {
	c := exec.Command(binary, append([]string{"--root", t.TempDir()}, args...)...)
	c.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace strings.Builder
	c.Stderr = &trace
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %s", err, trace.String())
	}
	for l := range strings.Lines(trace.String()) {
		if f := strings.Fields(l); len(f) > 1 && f[0] == "init" {
			packages = append(packages, f[1])
		}
	}
	return packages
}

func TestAHotVerbEndsBeforeKongAndWhatItBringsIsInitialised(t *testing.T) {
	t.Parallel()
	late := []string{"github.com/alecthomas/kong", "github.com/sirupsen/logrus", "regexp", "regexp/syntax", "net/netip", "go/doc", "path/filepath"}
	binary := built(t)
	hot, cold := initialised(t, binary, "delete", "--force", "nosuch"), initialised(t, binary, "list")
	if !slices.Contains(hot, "os") {
		t.Errorf("hot: %q", hot)
	}
	for _, p := range late {
		if slices.Contains(hot, p) {
			t.Errorf("%s is initialised before a hot verb runs", p)
		}
		if !slices.Contains(cold, p) {
			t.Errorf("%s does nothing at start: this test can't see whether it is late", p)
		}
	}
}

// Go begins with a table for 512 pairs of type and interface. If more than three
// quarters of it would be taken, it makes a greater one, and enters all of them
// again: at each start, for some 20 µs (runtime/iface.go, itabsinit). The section
// .itablink has a pointer for each pair. To have fewer: don't convert many types to two
// interfaces where one would do.
func TestGosTableOfInterfacesIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	file, err := elf.Open(built(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	links := file.Section(".itablink")
	if links == nil {
		t.Fatal("no section .itablink: how does this Go find them?")
	}
	const most = 384
	if n := links.Size / 8; n == 0 || n > most {
		t.Errorf("%d pairs of type and interface, more than %d", n, most)
	}
}

// A copy of minirt by the name of a test binary stands for one.
func TestATestBinaryIsNotTakenForAVerb(t *testing.T) {
	t.Parallel()
	binary := built(t)
	if err := os.Rename(binary, binary+".test"); err != nil {
		t.Fatal(err)
	}
	if list := initialised(t, binary+".test", "delete", "--force", "nosuch"); !slices.Contains(list, "github.com/alecthomas/kong") {
		t.Errorf("it ended before main: %q", list)
	}
}
