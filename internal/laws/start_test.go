package laws

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// atStart are the packages that may do something before main: the standard
// library's, and what kong and logrus bring. Each costs every verb its time.
var atStart = strings.Fields(`
	internal/bytealg internal/runtime/gc/scan runtime math errors iter sync internal/godebug encoding/base64 syscall
	time context internal/poll io/fs os unicode reflect github.com/opencontainers/runtime-spec/specs-go go/token log
	encoding/json golang.org/x/sys/unix github.com/sirupsen/logrus path/filepath go/scanner regexp/syntax regexp
	internal/lazyregexp go/doc net/netip github.com/alecthomas/kong
	crypto/internal/sysrand internal/cpu internal/sync vendor/golang.org/x/net/dns/dnsmessage
	net github.com/godbus/dbus/v5 archive/tar github.com/opencontainers/go-digest
	github.com/containernetworking/cni/libcni github.com/containernetworking/cni/pkg/invoke github.com/containernetworking/cni/pkg/types/020
	github.com/containernetworking/cni/pkg/types/040 github.com/containernetworking/cni/pkg/types/100
	github.com/containernetworking/cni/pkg/utils github.com/containernetworking/cni/pkg/version
	github.com/google/nftables github.com/google/nftables/alignedbuff github.com/google/nftables/expr github.com/mdlayher/netlink io/ioutil
	github.com/vishvananda/netlink github.com/vishvananda/netlink/nl` + // after package hot
	// Before it, for images: gzip, the digests, and a version that is formatted.
	` compress/flate compress/gzip hash/crc32 github.com/opencontainers/image-spec/specs-go
	crypto crypto/fips140 crypto/sha256 crypto/sha512 crypto/internal/fips140deps/cpu crypto/internal/fips140deps/time
	crypto/internal/fips140 crypto/internal/fips140/aes crypto/internal/fips140/aes/gcm crypto/internal/fips140/check
	crypto/internal/fips140/drbg crypto/internal/fips140/hmac crypto/internal/fips140/sha256 crypto/internal/fips140/sha3
	crypto/internal/fips140/sha512` + // And for deploy, which takes back what it made when a signal ends it: one pointer is set.
	` os/signal`)

func TestNoPackageOfOursWorksAtStart(t *testing.T) {
	binary := t.TempDir() + "/minirt"
	build := exec.Command("go", "build", "-o", binary, "./cmd/minirt")
	build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := exec.Command(binary, "--version")
	c.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace strings.Builder
	c.Stderr = &trace
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for l := range strings.SplitSeq(trace.String(), "\n") {
		f := strings.Fields(l)
		if len(f) < 2 || f[0] != "init" {
			continue
		}
		seen++
		if f[1] == module+"cmd/minirt/hot" || f[1] == module+"cmd/minirt/early" { // they say why
			continue
		}
		if strings.HasPrefix(f[1], module[:len(module)-1]) {
			t.Errorf("works before main: %s", l)
		} else if !slices.Contains(atStart, f[1]) {
			t.Errorf("a package that is not known to do so works before main: %s", l)
		}
	}
	if seen == 0 {
		t.Errorf("the Go runtime told nothing: %s", trace.String())
	}
}

// The binary needs nothing of the machine: no cgo, no interpreter.
func TestTheBinaryIsStatic(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "-f", "{{if .CgoFiles}}{{.ImportPath}}{{end}}", "./cmd/minirt")
	list.Dir, list.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	if s := strings.TrimSpace(string(out)); s != "" {
		t.Errorf("packages with cgo: %s", s)
	}
}
