package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A building is a layout in the making.
type building struct {
	t     testing.TB
	dir   string
	index ocispec.Index
}

func build(t testing.TB) *building {
	t.Helper()
	b := &building{t: t, dir: filepath.Join(t.TempDir(), "layout")}
	b.index.Versioned = specs.Versioned{SchemaVersion: 2}
	check(t, os.MkdirAll(b.dir+"/blobs/sha256", 0o755))
	b.file("oci-layout", ocispec.ImageLayout{Version: "1.0.0"})
	b.file("index.json", b.index)
	return b
}

func (b *building) file(name string, v any) {
	b.t.Helper()
	text, err := json.Marshal(v)
	check(b.t, err)
	check(b.t, os.WriteFile(filepath.Join(b.dir, name), text, 0o644))
}

func (b *building) blob(mediaType string, content []byte) ocispec.Descriptor {
	b.t.Helper()
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
	check(b.t, os.WriteFile(filepath.Join(b.dir, "blobs/sha256", d.Digest.Encoded()), content, 0o644))
	return d
}

func (b *building) json(mediaType string, v any) ocispec.Descriptor {
	b.t.Helper()
	text, err := json.Marshal(v)
	check(b.t, err)
	return b.blob(mediaType, text)
}

// manifest makes an image of a configuration and layers.
func (b *building) manifest(config ocispec.Image, layers ...[]byte) ocispec.Descriptor {
	b.t.Helper()
	m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Layers: []ocispec.Descriptor{}}
	config.RootFS = ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}}
	for _, l := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.FromBytes(l))
		m.Layers = append(m.Layers, b.blob(ocispec.MediaTypeImageLayerGzip, gzipOf(b.t, l)))
	}
	m.Config = b.json(ocispec.MediaTypeImageConfig, config)
	return b.json(ocispec.MediaTypeImageManifest, m)
}

// name puts an image into the index.
func (b *building) name(tag string, d ocispec.Descriptor) {
	b.t.Helper()
	if tag != "" {
		d.Annotations = map[string]string{ocispec.AnnotationRefName: tag}
	}
	b.index.Manifests = append(b.index.Manifests, d)
	b.file("index.json", b.index)
}

// here is a configuration for this machine, of a program that is named.
func here() ocispec.Image {
	return ocispec.Image{
		Platform: ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH},
		Config:   ocispec.ImageConfig{Cmd: []string{"/bin/program"}},
	}
}

// imageOf makes a layout of one image with layers.
func imageOf(t testing.TB, layers ...[]byte) string {
	t.Helper()
	b := build(t)
	b.name("latest", b.manifest(here(), layers...))
	return b.dir
}

func zstdOf(t testing.TB, content []byte) []byte {
	t.Helper()
	c := exec.Command("zstd", "-c")
	c.Stdin = bytes.NewReader(content)
	packed, err := c.Output()
	check(t, err)
	return packed
}

func gzipOf(t testing.TB, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(content)
	check(t, err)
	check(t, w.Close())
	return out.Bytes()
}

var epoch = time.Unix(1_000_000_000, 0)

// An entry of a layer: its header, and for a regular file its content.
type entry struct {
	tar.Header
	content string
}

func file(name, content string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, content}
}
func dir(name string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}}
}
func link(name, to string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to, Mode: 0o777}}
}
func hard(name, to string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: to, Mode: 0o644}}
}
func device(name string, major, minor int64) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeChar, Name: name, Mode: 0o620, Devmajor: major, Devminor: minor}}
}

// layer makes an archive of entries; all are of one time, and of root, unless they say otherwise.
func layer(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		if e.ModTime.IsZero() {
			e.ModTime = epoch
		}
		if e.Typeflag == tar.TypeReg {
			e.Size = int64(len(e.content))
		}
		check(t, w.WriteHeader(&e.Header))
		_, err := w.Write([]byte(e.content))
		check(t, err)
	}
	check(t, w.Close())
	return out.Bytes()
}

// deploy makes a bundle, and gives its root.
func deploy(t testing.TB, ref string) (rootfs string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	check(t, Deploy(dir, ref, Options{}))
	return dir + "/rootfs"
}

// fails demands an error with a text, and no trace of the bundle.
func fails(t testing.TB, ref, want string, o Options) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	err := Deploy(dir, ref, o)
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is %v, not …%s…", err, want)
	}
	if _, err := os.Lstat(dir); !os.IsNotExist(err) {
		t.Errorf("something is left of the bundle: %v", err)
	}
}

// tree lists all below root, a line for each: kind, mode, owner, time, content or target.
func tree(t testing.TB, root string) (lines []string) {
	t.Helper()
	first := map[uint64]string{}
	check(t, filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		check(t, err)
		name, _ := filepath.Rel(root, p)
		info, err := os.Lstat(p)
		check(t, err)
		st := info.Sys().(*syscall.Stat_t)
		line := fmt.Sprintf("%s %v %d:%d %d", name, info.Mode(), st.Uid, st.Gid, st.Mtim.Sec)
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			content, err := os.ReadFile(p)
			check(t, err)
			sum := sha256.Sum256(content)
			line += fmt.Sprintf(" %d %s", st.Size, hex.EncodeToString(sum[:4]))
		case unix.S_IFLNK:
			to, err := os.Readlink(p)
			check(t, err)
			line += " -> " + to
		case unix.S_IFCHR, unix.S_IFBLK:
			line += fmt.Sprintf(" %d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
		}
		if st.Nlink > 1 && !info.IsDir() {
			if first[st.Ino] == "" {
				first[st.Ino] = name
			}
			line += " = " + first[st.Ino]
		}
		for _, x := range listXattrs(t, p) {
			value := make([]byte, 4096)
			n, err := unix.Lgetxattr(p, x, value)
			check(t, err)
			line += fmt.Sprintf(" %s=%x", x, value[:n])
		}
		lines = append(lines, line)
		return nil
	}))
	return lines
}

func listXattrs(t testing.TB, path string) []string {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := unix.Llistxattr(path, buf)
	if err == unix.ENOTSUP {
		return nil
	}
	check(t, err)
	list := strings.FieldsFunc(string(buf[:n]), func(r rune) bool { return r == 0 })
	sort.Strings(list)
	return list
}

// paths are the names in a tree.
func paths(t testing.TB, root string) (list []string) {
	t.Helper()
	for _, line := range tree(t, root) {
		name, _, _ := strings.Cut(line, " ")
		list = append(list, name)
	}
	return list
}

// manifestOf is a manifest of no layer.
func manifestOf(config ocispec.Descriptor) ocispec.Manifest {
	return ocispec.Manifest{Config: config, Layers: []ocispec.Descriptor{}}
}
