package image

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A layout is an OCI image layout: blobs, and an index that says which of them
// are images.
type layout struct {
	source      source
	index       document
	interrupted func() error
}

// A document is an index or a manifest; one type for both, so that one which
// claims to be either can be told.
type document struct {
	ocispec.Manifest
	Manifests []ocispec.Descriptor `json:"manifests"`
}

// openLayout opens the layout at path, whose version must be 1.0.0 (image-layout.md).
func openLayout(path string) (l *layout, err error) {
	from, err := openSource(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			from.close()
		}
	}()
	var head ocispec.ImageLayout
	if err := readJSON(from, ocispec.ImageLayoutFile, &head); err != nil {
		return nil, err
	}
	if head.Version != ocispec.ImageLayoutVersion {
		return nil, fmt.Errorf("%s: imageLayoutVersion %q: only %q is known", ocispec.ImageLayoutFile, head.Version, ocispec.ImageLayoutVersion)
	}
	l = &layout{source: from, interrupted: never}
	if err := readJSON(from, ocispec.ImageIndexFile, &l.index); err != nil {
		return nil, err
	}
	if err := l.index.check(ocispec.MediaTypeImageIndex); err != nil {
		return nil, fmt.Errorf("%s: %w", ocispec.ImageIndexFile, err)
	}
	return l, nil
}

func never() error { return nil }

func (l *layout) close() { l.source.close() }

// blobPath is the file of a blob; the digest has been validated.
func blobPath(d digest.Digest) string {
	return ocispec.ImageBlobsDir + "/" + d.Algorithm().String() + "/" + d.Encoded()
}

// read reads the index or manifest of a descriptor.
func (l *layout) read(d ocispec.Descriptor) (*document, error) {
	text, err := l.document(d)
	if err != nil {
		return nil, err
	}
	doc := new(document)
	if err := decode(text, doc); err != nil {
		return nil, fmt.Errorf("blob %s: %w", d.Digest, err)
	}
	if err := doc.check(d.MediaType); err != nil {
		return nil, fmt.Errorf("blob %s: %w", d.Digest, err)
	}
	return doc, nil
}

// check demands that a document is what its descriptor says, and nothing else
// at the same time: tools that read one and the same bytes as different things
// would see different images (GHSA-77vh-xpmg-72qh).
func (d *document) check(mediaType string) error {
	manifest := d.Layers != nil || d.Config.Digest != ""
	switch {
	case d.MediaType != "" && d.MediaType != mediaType:
		return fmt.Errorf("its mediaType is %q, not %q", d.MediaType, mediaType)
	case isIndex(mediaType) && manifest:
		return errors.New("an index with the config or the layers of a manifest")
	case isManifest(mediaType) && d.Manifests != nil:
		return errors.New("a manifest with the manifests of an index")
	case isManifest(mediaType) && !manifest:
		return errors.New("a manifest without config and layers")
	}
	return nil
}

// kind is the media type of a document that was named by its digest alone.
func (d *document) kind() string {
	switch {
	case d.MediaType != "":
		return d.MediaType
	case d.Manifests != nil:
		return ocispec.MediaTypeImageIndex
	}
	return ocispec.MediaTypeImageManifest
}

// decode reads a document. In what is wrong with it Go's types are no help.
func decode(text []byte, into any) error {
	err := json.Unmarshal(text, into)
	if e := (*json.UnmarshalTypeError)(nil); errors.As(err, &e) {
		return fmt.Errorf("%s: %s is out of place", cmp.Or(e.Field, "the document"), e.Value)
	}
	return err
}

// readJSON reads one of the layout's own files.
func readJSON(from source, name string, into any) error {
	f, size, err := from.open(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer f.Close()
	if size > maxDocument {
		return fmt.Errorf("%s: larger than %d MiB", name, maxDocument>>20)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxDocument))
	if err == nil {
		err = decode(text, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
