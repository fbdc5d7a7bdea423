package image

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// letters are what names of fuzzed layers are made of: all that means something.
var letters = []string{"a", "b", "c", "/", "/", "..", ".", ".wh.", ".wh..wh..opq", "/", "CANARY", "../../../../../../../..", "proc/self/cwd", " ", "\\"}

// word makes a name of the next bytes.
func word(data *[]byte, canary string) string {
	var s strings.Builder
	for range next(data) % 6 {
		s.WriteString(letters[int(next(data))%len(letters)])
	}
	return strings.ReplaceAll(s.String(), "CANARY", canary)
}

func next(data *[]byte) byte {
	if len(*data) == 0 {
		return 0
	}
	b := (*data)[0]
	*data = (*data)[1:]
	return b
}

// hostile makes a layer of bytes.
func hostile(data *[]byte, canary string) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	kinds := []byte{tar.TypeReg, tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeSymlink, tar.TypeLink, tar.TypeFifo, tar.TypeChar}
	for range 1 + next(data)%12 {
		h := &tar.Header{Typeflag: kinds[int(next(data))%len(kinds)], Name: word(data, canary), Mode: int64(next(data)) << 4, Format: tar.FormatPAX}
		if h.Typeflag == tar.TypeSymlink || h.Typeflag == tar.TypeLink {
			h.Linkname = word(data, canary)
		}
		if h.Typeflag == tar.TypeReg {
			h.Name, h.Size = strings.TrimRight(h.Name, "/"), 1
		}
		if w.WriteHeader(h) == nil && h.Size > 0 {
			w.Write([]byte("x"))
		}
	}
	w.Flush()
	return out.Bytes()
}

// FuzzUnpack makes layers of names and links that mean to get out of the root.
func FuzzUnpack(f *testing.F) {
	for i := range 64 {
		seed := make([]byte, 256)
		for j := range 32 {
			binary.LittleEndian.PutUint64(seed[8*j:], uint64(i*64+j)*0x9e3779b97f4a7c15)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		canary := t.TempDir()
		check(t, os.WriteFile(canary+"/a", []byte("secret"), 0o600))
		check(t, os.Mkdir(canary+"/b", 0o700))
		before := tree(t, canary)
		dir := t.TempDir()
		lower := hostile(&data, canary)
		err := Deploy(dir+"/bundle", imageOf(t, lower, hostile(&data, canary)), Options{})
		stays(t, dir, err)
		if diff := cmp.Diff(before, tree(t, canary)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzLayer gives any bytes for a layer.
func FuzzLayer(f *testing.F) {
	f.Add(layer(f, file("a", "b"), link("c", "a"), dir("d"), file(".wh.a", "")))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		stays(t, dir, Deploy(dir+"/bundle", imageOf(t, data), Options{}))
	})
}

// FuzzDocuments gives any bytes for an index, a manifest and a configuration.
func FuzzDocuments(f *testing.F) {
	f.Add([]byte(`{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"x","size":-1}]}`), []byte(`{"config":{}}`), []byte(`{"config":{"User":":"}}`))
	f.Add([]byte(`{"manifests":[{"platform":{}}]}`), []byte(`{"layers":[{}]}`), []byte(`{"rootfs":{"diff_ids":["sha256:"]}}`))
	f.Fuzz(func(t *testing.T, index, manifest, config []byte) {
		b := build(t)
		c := b.blob("application/vnd.oci.image.config.v1+json", config)
		b.name("m", b.blob("application/vnd.oci.image.manifest.v1+json", manifest))
		b.name("c", b.json("application/vnd.oci.image.manifest.v1+json", document{Manifest: manifestOf(c)}))
		dir := t.TempDir()
		for _, tag := range []string{":m", ":c", ""} {
			if tag == "" {
				check(t, os.WriteFile(b.dir+"/index.json", index, 0o600))
			}
			stays(t, dir, Deploy(dir+"/bundle", b.dir+tag, Options{}))
			os.RemoveAll(dir + "/bundle")
		}
	})
}

// FuzzArchive gives any bytes for an archive of a layout.
func FuzzArchive(f *testing.F) {
	f.Add(layer(f, file("oci-layout", `{"imageLayoutVersion":"1.0.0"}`), file("index.json", `{"manifests":[]}`), dir("blobs")))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		archive := t.TempDir() + "/image.tar"
		check(t, os.WriteFile(archive, data, 0o600))
		stays(t, dir, Deploy(dir+"/bundle", archive, Options{}))
	})
}

// stays demands that nothing is beside the bundle, and that after an error none is there.
func stays(t *testing.T, dir string, err error) {
	t.Helper()
	list, _ := os.ReadDir(dir)
	if len(list) > 1 || err != nil && len(list) > 0 {
		t.Fatalf("%v: %v is there", err, list)
	}
}
