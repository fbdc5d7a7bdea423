package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// marked is an image that holds one file, by which it can be told.
func (b *building) marked(mark, os, architecture, variant string) ocispec.Descriptor {
	b.t.Helper()
	config := here()
	config.Platform = ocispec.Platform{OS: os, Architecture: architecture, Variant: variant}
	return b.manifest(config, layer(b.t, file(mark, "")))
}

// mark tells which image a reference leads to.
func mark(t *testing.T, ref, platform string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	if err := Deploy(dir, ref, Options{Platform: platform}); err != nil {
		_, text, _ := strings.Cut(err.Error(), `layout": `)
		return text
	}
	return strings.Join(paths(t, dir+"/rootfs")[1:], " ")
}

func TestAReferenceNamesOneImage(t *testing.T) {
	t.Parallel()
	b := build(t)
	if got := mark(t, b.dir, ""); got != "holds no image" {
		t.Error(got)
	}
	one, two := b.marked("one", "linux", "amd64", ""), b.marked("two", "linux", "amd64", "")
	b.name("1", one)
	if got := mark(t, b.dir, "linux/amd64"); got != "one" {
		t.Error(got)
	}
	b.name("latest", one)
	if got := mark(t, b.dir, "linux/amd64"); got != "one" {
		t.Errorf("with two names: %s", got)
	}
	b.name("docker.io/library/two:2.0", two)
	b.name("", b.marked("three", "linux", "amd64", ""))
	for suffix, want := range map[string]string{
		"":                                   `holds 3 images: name one, there is "1", "docker.io/library/two:2.0", "latest", one or more without a tag`,
		":1":                                 "one",
		":docker.io/library/two:2.0":         "two",
		":two":                               `no image "two": there is "1", "docker.io/library/two:2.0", "latest", one or more without a tag`,
		"@" + string(two.Digest):             "two",
		"@sha256:12":                         `digest "sha256:12": invalid checksum digest length`,
		"@latest":                            `digest "latest": invalid checksum digest format`,
		"@sha256:" + strings.Repeat("0", 64): "blob sha256:" + strings.Repeat("0", 64) + ": no such file or directory",
	} {
		if got := mark(t, b.dir+suffix, "linux/amd64"); got != want {
			t.Errorf("%q: %s", suffix, got)
		}
	}
}

// tarOf packs a layout, as podman save and docker save do.
func tarOf(t *testing.T, dir string) string {
	t.Helper()
	archive := filepath.Join(t.TempDir(), "image.tar")
	run(t, "tar", "-C", dir, "-cf", archive, ".")
	return archive
}

func TestAnArchiveOfALayoutIsReadAsTheLayout(t *testing.T) {
	t.Parallel()
	b := build(t)
	content := layer(t, dir("d"), file("d/f", strings.Repeat("content", 50_000)))
	b.name("one", b.manifest(here(), content))
	if _, err := exec.LookPath("zstd"); err == nil {
		b.imageOf(b.blob(ocispec.MediaTypeImageLayerZstd, zstdOf(t, content)), digest.FromBytes(content))
	}
	archive := tarOf(t, b.dir)
	for _, image := range b.index.Manifests {
		tag := ":" + image.Annotations[ocispec.AnnotationRefName]
		want := tree(t, deploy(t, b.dir+tag))
		for _, ref := range []string{archive + tag, archive + "@" + string(image.Digest)} {
			if diff := cmp.Diff(want, tree(t, deploy(t, ref))); diff != "" {
				t.Errorf("%s: %s", ref, diff)
			}
		}
	}
	text, err := os.ReadFile(archive)
	check(t, err)
	check(t, os.WriteFile(archive, text[:len(text)/2], 0o600))
	fails(t, archive+":one", "", Options{})
	check(t, os.WriteFile(archive, gzipOf(t, text), 0o600))
	fails(t, archive+":one", "not a directory, nor an archive: ", Options{})
	fails(t, "/dev/null:one", "not a regular file", Options{})
}

func TestADirectoryMayHaveColonsInItsName(t *testing.T) {
	t.Parallel()
	b := build(t)
	b.name("a:b", b.manifest(here(), layer(t, file("x", ""))))
	dir := filepath.Join(t.TempDir(), "lay:out")
	check(t, os.Rename(b.dir, dir))
	for _, ref := range []string{dir, dir + ":a:b"} {
		if got := paths(t, deploy(t, ref)); len(got) != 2 {
			t.Errorf("%s: %v", ref, got)
		}
	}
}

func TestThePlatformIsTheMachinesOrTheOneAskedFor(t *testing.T) {
	t.Parallel()
	b := build(t)
	var index ocispec.Index
	for _, p := range []struct{ mark, os, architecture, variant string }{
		{"attestation", "unknown", "unknown", ""}, {"amd64", "linux", "amd64", ""}, {"amd64v3", "linux", "amd64", "v3"}, {"arm64", "linux", "arm64", "v8"},
		{"armv5", "linux", "arm", "v5"}, {"armv6", "linux", "arm", "v6"}, {"windows", "windows", "amd64", ""},
	} {
		d := b.marked(p.mark, p.os, p.architecture, p.variant)
		d.Platform = &ocispec.Platform{OS: p.os, Architecture: p.architecture, Variant: p.variant}
		index.Manifests = append(index.Manifests, d)
	}
	index.Manifests = append(index.Manifests, ocispec.Descriptor{MediaType: "application/x-other", Digest: digest.FromString("x"), Size: 1})
	index.MediaType = ocispec.MediaTypeImageIndex
	inner := b.json(ocispec.MediaTypeImageIndex, index)
	b.name("nested", b.json(ocispec.MediaTypeImageIndex, ocispec.Index{Manifests: []ocispec.Descriptor{inner, inner}}))
	for platform, want := range map[string]string{
		"linux/amd64": "amd64", "linux/amd64/v2": "amd64", "linux/amd64/v4": "amd64v3", "linux/arm64": "arm64", "linux/arm64/v8": "arm64", "linux/arm64/v9": "arm64",
		"linux/arm": "armv6", "linux/arm/v5": "armv5", "windows/amd64": "windows",
		"linux/riscv64": "no image for linux/riscv64: there is unknown/unknown, linux/amd64, linux/amd64/v3, linux/arm64/v8, linux/arm/v5, linux/arm/v6, windows/amd64",
	} {
		if got := mark(t, b.dir, platform); got != want {
			t.Errorf("%s: %s", platform, got)
		}
	}
	if got := mark(t, b.dir, ""); got != here().Architecture {
		t.Errorf("without a platform: %s", got)
	}
	for _, platform := range []string{"linux", "linux/", "/amd64", "a/b/c/d", "linux/arm/old"} {
		fails(t, b.dir, "not OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT", Options{Platform: platform})
	}
}

func TestAnImageOfAnotherPlatformIsRefusedByItsConfigurationAlone(t *testing.T) {
	t.Parallel()
	b := build(t)
	b.name("x", b.marked("x", "linux", "s390x", ""))
	fails(t, b.dir, "there is linux/s390x", Options{})
}

func TestImagesThatCannotBeToldApartAreNotChosenFrom(t *testing.T) {
	t.Parallel()
	b := build(t)
	b.name("", b.marked("one", "linux", "amd64", ""))
	b.name("", b.marked("two", "linux", "amd64", ""))
	fails(t, b.dir, "2 images for linux/amd64: name one by its digest", Options{Platform: "linux/amd64"})
}

func TestBlobsThatAreNotWhatTheirDescriptorsSayLeaveNothing(t *testing.T) {
	t.Parallel()
	content := layer(t, file("x", strings.Repeat("content", 1000)))
	// Each breaks one blob of a good layout: of the manifest, the config and the layer.
	breaks := []struct {
		want string
		do   func(path string, old []byte) error
	}{
		{"another content than its digest says", func(path string, old []byte) error {
			return os.WriteFile(path, append(old[:len(old)-1:len(old)-1], old[len(old)-1]^1), 0o644)
		}},
		{"bytes, not", func(path string, old []byte) error { return os.WriteFile(path, append(old, 0), 0o644) }},
		{"bytes, not", func(path string, old []byte) error { return os.WriteFile(path, old[:len(old)-1], 0o644) }},
		{"no such file or directory", func(path string, _ []byte) error { return os.Remove(path) }},
		{"not a regular file", func(path string, _ []byte) error { os.Remove(path); return unix.Mkfifo(path, 0o644) }},
	}
	for _, brk := range breaks {
		for kind := range 3 {
			b := build(t)
			m := b.manifest(here(), content)
			b.name("x", m)
			var doc ocispec.Manifest
			text, err := os.ReadFile(b.dir + "/blobs/sha256/" + m.Digest.Encoded())
			check(t, err)
			check(t, json.Unmarshal(text, &doc))
			sum := []digest.Digest{m.Digest, doc.Config.Digest, doc.Layers[0].Digest}[kind]
			path := b.dir + "/blobs/sha256/" + sum.Encoded()
			old, err := os.ReadFile(path)
			check(t, err)
			check(t, brk.do(path, old))
			want := brk.want
			if kind == 2 && strings.HasPrefix(want, "another") {
				want = "" // the last byte is of gzip's own checksum or length
			}
			fails(t, b.dir, want, Options{})
		}
	}
}

func TestTheDigestOfAPlainLayerIsProvenToItsLastByte(t *testing.T) {
	t.Parallel()
	b := build(t)
	content := append(layer(t, file("x", "")), make([]byte, 5000)...)
	other := bytes.Clone(content)
	other[len(other)-1] = 1
	d := b.blob(ocispec.MediaTypeImageLayer, content)
	check(t, os.WriteFile(b.dir+"/blobs/sha256/"+d.Digest.Encoded(), other, 0o644))
	b.imageOf(d, digest.FromBytes(other))
	fails(t, b.dir, "another content than its digest says", Options{})
}

// imageOf names an image of one layer, as it is described.
func (b *building) imageOf(d ocispec.Descriptor, diffID ...digest.Digest) {
	b.t.Helper()
	config := here()
	config.RootFS = ocispec.RootFS{Type: "layers", DiffIDs: diffID}
	b.name("x", b.json(ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, Config: b.json(ocispec.MediaTypeImageConfig, config), Layers: []ocispec.Descriptor{d}}))
}

func TestALayerThatIsNotOfItsDiffIDLeavesNothing(t *testing.T) {
	t.Parallel()
	b := build(t)
	b.imageOf(b.blob(ocispec.MediaTypeImageLayer, layer(t, file("x", ""))), digest.FromString("other"))
	fails(t, b.dir, "layers[0]: another content than its diff_id says, sha256:", Options{})
}

func TestManifestsThatDoNotHoldTogetherAreRefused(t *testing.T) {
	t.Parallel()
	good := layer(t, file("x", ""))
	sum := digest.FromBytes(good)
	tests := map[string]func(b *building){
		"0 of them for 1 layers":      func(b *building) { b.imageOf(b.blob(ocispec.MediaTypeImageLayer, good)) },
		`rootfs.diff_ids[0]: "md5:x"`: func(b *building) { b.imageOf(b.blob(ocispec.MediaTypeImageLayer, good), "md5:x") },
		`layers[0]: a layer of type "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" is not distributed`: func(b *building) {
			b.imageOf(b.blob("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", good), sum)
		},
		`layers[0]: a layer of type "application/vnd.oci.image.layer.nondistributable.v1.tar" is not distributed`: func(b *building) {
			b.imageOf(b.blob("application/vnd.oci.image.layer.nondistributable.v1.tar", good), sum)
		},
		`layers[0]: a layer of the unknown type "text/plain"`: func(b *building) { b.imageOf(b.blob("text/plain", good), sum) },
		`layers[0]: gzip: gzip: invalid header`:               func(b *building) { b.imageOf(b.blob(ocispec.MediaTypeImageLayerGzip, good), sum) },
		`layers[0]: digest "sha256:../../../etc/passwd"`: func(b *building) {
			b.imageOf(ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: "sha256:../../../etc/passwd", Size: 1}, sum)
		},
		`not an image: its config is of type "application/x"`: func(b *building) {
			b.name("", b.json(ocispec.MediaTypeImageManifest, ocispec.Manifest{Config: b.json("application/x", 1)}))
		},
		"a manifest with the manifests of an index": func(b *building) {
			b.name("", b.json(ocispec.MediaTypeImageManifest, document{Manifest: ocispec.Manifest{Config: b.json("x", 1)}, Manifests: []ocispec.Descriptor{}}))
		},
		"an index with the config or the layers of a manifest": func(b *building) {
			b.name("", b.json(ocispec.MediaTypeImageIndex, document{Manifests: []ocispec.Descriptor{}, Manifest: ocispec.Manifest{Layers: []ocispec.Descriptor{}}}))
		},
		`its mediaType is "` + ocispec.MediaTypeImageIndex: func(b *building) {
			b.name("", b.json(ocispec.MediaTypeImageManifest, ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}))
		},
		"larger than 4 MiB": func(b *building) {
			b.name("", b.blob(ocispec.MediaTypeImageManifest, bytes.Repeat([]byte(" "), 4<<20+1)))
		},
		"more than 8 indexes deep": func(b *building) {
			d := b.manifest(here(), good)
			for range 10 {
				d = b.json(ocispec.MediaTypeImageIndex, ocispec.Index{Manifests: []ocispec.Descriptor{d}})
			}
			b.name("", d)
		},
		"more than 4096 manifests": func(b *building) {
			var index ocispec.Index
			for i := range 5000 {
				index.Manifests = append(index.Manifests, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString(string(rune(i))), Size: 1})
			}
			b.name("", b.json(ocispec.MediaTypeImageIndex, index))
		},
		`oci-layout: imageLayoutVersion "2.0.0": only "1.0.0" is known`: func(b *building) { b.file("oci-layout", ocispec.ImageLayout{Version: "2.0.0"}) },
		"oci-layout: no such file or directory":                         func(b *building) { check(b.t, os.Remove(b.dir+"/oci-layout")) },
		"index.json: not a regular file": func(b *building) {
			check(b.t, os.Remove(b.dir+"/index.json"))
			check(b.t, unix.Mkfifo(b.dir+"/index.json", 0o600))
		},
		"index.json: larger than 4 MiB": func(b *building) { check(b.t, os.Truncate(b.dir+"/index.json", 1<<40)) },
		"index.json: the document: array is out of place": func(b *building) {
			check(b.t, os.WriteFile(b.dir+"/index.json", []byte("[]"), 0o600))
		},
		"index.json: manifests.size: number 1e400 is out of place": func(b *building) {
			check(b.t, os.WriteFile(b.dir+"/index.json", []byte(`{"manifests": [{"size": 1e400}]}`), 0o600))
		},
		"index.json: invalid character": func(b *building) { check(b.t, os.WriteFile(b.dir+"/index.json", []byte("x"), 0o600)) },
	}
	for want, do := range tests {
		b := build(t)
		do(b)
		fails(t, b.dir, want, Options{})
	}
}

func TestLayersAreUnpackedWhateverTheirPacking(t *testing.T) {
	t.Parallel()
	content := layer(t, dir("d"), file("d/f", strings.Repeat("content", 50_000)))
	packings := map[string][]byte{
		ocispec.MediaTypeImageLayer: content, dockerLayer: content,
		ocispec.MediaTypeImageLayerGzip: gzipOf(t, content), dockerLayer + ".gzip": append(gzipOf(t, content[:1000]), gzipOf(t, content[1000:])...),
	}
	if _, err := exec.LookPath("zstd"); err == nil {
		packed := zstdOf(t, content)
		packings[ocispec.MediaTypeImageLayerZstd], packings[dockerLayer+".zstd"] = packed, packed
	} else {
		t.Log("zstd is not installed: not tried")
	}
	for mediaType, packed := range packings {
		b := build(t)
		b.imageOf(b.blob(mediaType, packed), digest.FromBytes(content))
		if diff := cmp.Diff([]string{".", "d", "d/f"}, paths(t, deploy(t, b.dir))); diff != "" {
			t.Errorf("%s: %s", mediaType, diff)
		}
	}
}

// It sets PATH: not in parallel.
func TestZstdThatCannotWorkSaysSo(t *testing.T) {
	content := layer(t, file("f", ""))
	b := build(t)
	b.imageOf(b.blob(ocispec.MediaTypeImageLayerZstd, content), digest.FromBytes(content))
	if _, err := exec.LookPath("zstd"); err == nil {
		fails(t, b.dir, `zstd: exit status 1: "zstd: `, Options{})
	}
	t.Setenv("PATH", ".:/nowhere")
	fails(t, b.dir, `a layer packed by zstd: the program "zstd" is needed, and not on PATH`, Options{})
}

func TestTheSameImageGivesTheSameBundle(t *testing.T) {
	t.Parallel()
	config := here()
	config.Config.Labels = map[string]string{"a": "1", "b": "2", "c": "3"}
	config.Config.Volumes = map[string]struct{}{"/v": {}, "/u": {}, "/w": {}}
	config.Config.ExposedPorts = map[string]struct{}{"80/tcp": {}, "443/tcp": {}}
	b := build(t)
	b.name("", b.manifest(config, layer(t, dir("d"), file("d/f", "x")), layer(t, file("implied/f", ""))))
	var want []string
	for i := range 3 {
		dir := filepath.Join(t.TempDir(), "bundle")
		check(t, Deploy(dir, b.dir, Options{}))
		text, err := os.ReadFile(dir + "/config.json")
		check(t, err)
		got := append(tree(t, dir+"/rootfs"), string(text))
		if i == 0 {
			want = got
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		time.Sleep(1100 * time.Millisecond) // so that a time of today would show
	}
}

func TestAnExistingDirectoryIsUsedIfItIsEmptyAndEmptyAgainAfterAnError(t *testing.T) {
	t.Parallel()
	good, bad := imageOf(t, layer(t, file("f", ""))), imageOf(t, layer(t, file("f", ""), hard("g", "none")))
	dir := t.TempDir()
	if err := Deploy(dir, bad, Options{}); err == nil {
		t.Error("no error")
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		t.Errorf("%v is left, %v", list, err)
	}
	check(t, Deploy(dir, good, Options{}))
	if err := Deploy(dir, good, Options{}); err == nil || !strings.Contains(err.Error(), "exists and isn't empty") {
		t.Error(err)
	}
}

func TestAnInterruptedDeployLeavesNothing(t *testing.T) {
	t.Parallel()
	zeros := layer(t, file("a", ""), file("zeros", string(make([]byte, 1<<20))))
	packings := map[string][]byte{ocispec.MediaTypeImageLayer: zeros, ocispec.MediaTypeImageLayerGzip: gzipOf(t, zeros)}
	if _, err := exec.LookPath("zstd"); err == nil {
		packings[ocispec.MediaTypeImageLayerZstd] = zstdOf(t, zeros)
	}
	for kind, content := range packings {
		b := build(t)
		b.imageOf(b.blob(kind, content), digest.FromBytes(zeros))
		for last := 0; ; last++ { // each time one question later
			asked := 0
			dir := filepath.Join(t.TempDir(), "bundle")
			err := Deploy(dir, b.dir, Options{Interrupted: func() error {
				if asked++; asked > last {
					return errors.New("interrupted")
				}
				return nil
			}})
			if err == nil && last > 3 && asked <= last {
				break
			}
			if err == nil || !strings.HasSuffix(err.Error(), "interrupted") {
				t.Fatalf("%s, question %d of %d: %v", kind, last, asked, err)
			}
			if _, err := os.Lstat(dir); !os.IsNotExist(err) {
				t.Errorf("%s: something is left of the bundle: %v", kind, err)
			}
		}
	}
}

func TestANewBundleIsClosedToOthers(t *testing.T) { // SEC-39
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "bundle")
	check(t, Deploy(dir, imageOf(t, layer(t, file("f", ""))), Options{}))
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	dir = t.TempDir()
	for mode, warned := range map[os.FileMode]int{0o700: 0, 0o744: 0, 0o710: 1, 0o755: 1} {
		check(t, os.Chmod(dir, mode))
		var warnings []string
		check(t, Deploy(dir, imageOf(t, layer(t, file("f", ""))), Options{Warn: func(s string) { warnings = append(warnings, s) }}))
		if len(warnings) != warned {
			t.Errorf("%v: %q", mode, warnings)
		}
		check(t, os.RemoveAll(dir+"/rootfs"))
		check(t, os.Remove(dir+"/config.json"))
	}
}

// A bomb is small as it lies in the layout; unpacked, it is a stream to minirt.
func TestAFullDiskIsAnErrorThatSaysSo(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	random := make([]byte, 3<<20)
	for i := range random {
		random[i] = byte(i*i>>7) | 1
	}
	layout := imageOf(t, layer(t, file("a", ""), file("big", string(random))))
	self, err := os.Executable()
	check(t, err)
	c := exec.Command("unshare", "-m", "sh", "-ec", `mount -t tmpfs -o size=2m none "$0"; mkdir "$0/b"; BUNDLE="$0/b" LAYOUT="$1" "$2" -test.run='^TestDeployForAnother$' -test.v; ls -A "$0/b"`, t.TempDir(), layout, self)
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `layers[0]: "big": no space left on device`) || strings.Contains(string(out), "rootfs\n") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestDeployForAnother is what other tests run as another user, or elsewhere.
func TestDeployForAnother(t *testing.T) {
	if os.Getenv("BUNDLE") == "" {
		t.Skip("only other tests run it")
	}
	err := Deploy(os.Getenv("BUNDLE"), os.Getenv("LAYOUT"), Options{Warn: func(s string) { t.Log("warning: " + s) }})
	t.Log("error: ", err)
	status, err := os.ReadFile("/proc/self/status")
	check(t, err)
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	t.Log("peak: ", strings.Fields(peak)[0])
}

// Big files, and many names, in a blob that is small.
func TestMemoryDoesNotGrowWithAnImage(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	sum := digest.SHA256.Digester()
	w := tar.NewWriter(io.MultiWriter(z, sum.Hash()))
	check(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "big", Size: 128 << 20}))
	_, err := io.CopyN(w, zeros{}, 128<<20)
	check(t, err)
	for i := range 20_000 {
		check(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "d/" + strings.Repeat("n", 200) + string(rune('a'+i%7)), Size: 0}))
	}
	check(t, w.Close())
	check(t, z.Close())
	b := build(t)
	b.imageOf(b.blob(ocispec.MediaTypeImageLayerGzip, packed.Bytes()), sum.Digest())
	self, err := os.Executable()
	check(t, err)
	c := exec.Command(self, "-test.run=^TestDeployForAnother$", "-test.v")
	c.Env = append(os.Environ(), "BUNDLE="+filepath.Join(t.TempDir(), "b"), "LAYOUT="+b.dir)
	out, err := c.CombinedOutput()
	check(t, err)
	_, text, _ := strings.Cut(string(out), "peak:  ")
	peak, err := strconv.Atoi(strings.Fields(text)[0])
	if err != nil || peak > 40<<10 || !strings.Contains(string(out), "error:  <nil>") {
		t.Errorf("%d KiB, %v: %s", peak, err, out)
	}
}
