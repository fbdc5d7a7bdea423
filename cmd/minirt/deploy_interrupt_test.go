package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// endless is a layout with an image that takes a minute to unpack: a file of 16 GiB of zeros.
func endless(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.MkdirAll(dir+"/blobs/sha256", 0o755); err != nil {
		t.Fatal(err)
	}
	blob := func(content []byte) string {
		sum := fmt.Sprintf("%x", sha256.Sum256(content))
		if err := os.WriteFile(dir+"/blobs/sha256/"+sum, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return `"digest": "sha256:` + sum + `", "size": ` + strconv.Itoa(len(content))
	}
	const piece, pieces = 16 << 20, 1024
	var head, zeros bytes.Buffer
	z := gzip.NewWriter(&head)
	h := tar.NewWriter(z)
	h.WriteHeader(&tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Mode: 0o644, Size: piece * pieces})
	z.Close()
	z = gzip.NewWriter(&zeros)
	z.Write(make([]byte, piece))
	z.Close()
	layer := blob(append(head.Bytes(), bytes.Repeat(zeros.Bytes(), pieces)...))
	config, _ := json.Marshal(map[string]any{
		"os": "linux", "architecture": runtime.GOARCH, "config": map[string]any{"Cmd": []string{"/x"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%064d", 0)}},
	})
	const types = "application/vnd.oci.image."
	manifest := blob([]byte(`{"schemaVersion": 2, "config": {"mediaType": "` + types + `config.v1+json", ` + blob(config) + `},
		"layers": [{"mediaType": "` + types + `layer.v1.tar+gzip", ` + layer + `}]}`))
	for name, text := range map[string]string{
		"oci-layout": `{"imageLayoutVersion": "1.0.0"}`,
		"index.json": `{"schemaVersion": 2, "manifests": [{"mediaType": "` + types + `manifest.v1+json", ` + manifest + `}]}`,
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestADeployThatIsEndedByASignalLeavesNothing(t *testing.T) {
	t.Parallel()
	layout := endless(t)
	for signal, exists := range map[unix.Signal]bool{unix.SIGHUP: false, unix.SIGINT: true, unix.SIGTERM: false} {
		work := t.TempDir()
		place := newPlace(t, work)
		if exists {
			if err := os.Mkdir(filepath.Join(work, "b"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		c := exec.Command(place.program, "--root", place.root, "deploy", "--run", "b", "oci:"+layout)
		var said bytes.Buffer
		c.Dir, c.Env, c.Stderr = work, place.env, &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			if _, err := os.Lstat(filepath.Join(work, "b/rootfs/zeros")); err == nil {
				break
			}
			if time.Now().After(deadline) {
				c.Process.Kill()
				t.Fatalf("it doesn't begin: %s", &said)
			}
		}
		c.Process.Signal(signal)
		c.Wait()
		if got := c.ProcessState.ExitCode(); got != 128+int(signal) {
			t.Errorf("%v: exit status %d", signal, got)
		}
		want := fmt.Sprintf("minirt: deploy b: image layout %q: layers[0]: \"zeros\": ended by %s\n", layout, unix.SignalName(signal))
		if diff := cmp.Diff(want, said.String()); diff != "" {
			t.Errorf("%v: want (-), got (+):\n%s", signal, diff)
		}
		left, err := os.ReadDir(filepath.Join(work, "b"))
		if exists != (err == nil) || len(left) > 0 {
			t.Errorf("%v: %v is left, %v", signal, left, err)
		}
	}
}
