package security

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:8])
}

// rounds is how often a race is run.
func rounds() int {
	if os.Getenv("MINIRT_LONG") != "" {
		return 500
	}
	if testing.Short() {
		return 10
	}
	return 50
}

// race exchanges two names without pause while do runs, once a round and in both ways in turn.
// Cgroups have no part in it, and would take most of the time.
func (x *box) race(a, b string, do func(way string)) {
	x.Helper()
	if ours {
		x.global = []string{"--cgroup-manager", "disabled"}
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
			}
		}
	})
	for i := range rounds() {
		do(ways[i%len(ways)])
		if x.Failed() {
			x.Logf("in round %d", i+1)
			return
		}
	}
}

// await waits for a file to be there.
func await(t *testing.T, path string) {
	t.Helper()
	for range 1000 {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s does not come", path)
}
