package image

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// An image is a manifest and its configuration, with as many diff_ids as layers.
type image struct {
	layout *layout
	layers []ocispec.Descriptor
	config ocispec.Image
}

// choose finds the one image that is meant.
func (l *layout) choose(r reference, want ocispec.Platform) (*image, error) {
	named, err := l.named(r)
	if err != nil {
		return nil, err
	}
	list := leaves{layout: l, seen: map[digest.Digest]bool{}}
	for _, d := range named {
		if err := list.add(d, 0); err != nil {
			return nil, err
		}
	}
	d, err := list.best(want)
	if err != nil {
		return nil, err
	}
	return l.image(d)
}

// named gives what the index, or a digest, has for a reference: one image, or
// one image for each of several platforms.
func (l *layout) named(r reference) ([]ocispec.Descriptor, error) {
	if r.digest != "" {
		d, err := l.byDigest(r.digest)
		return []ocispec.Descriptor{d}, err
	}
	var found []ocispec.Descriptor
	tags, digests := map[string]bool{}, map[digest.Digest]bool{}
	for _, d := range l.index.Manifests {
		tag := d.Annotations[ocispec.AnnotationRefName]
		if !isIndex(d.MediaType) && !isManifest(d.MediaType) {
			continue
		}
		tags[tag] = true
		if r.tag == "" || r.tag == tag {
			digests[d.Digest] = true
			found = append(found, d)
		}
	}
	switch {
	case len(tags) == 0:
		return nil, errors.New("holds no image")
	case len(found) == 0:
		return nil, fmt.Errorf("no image %q: there is %s", r.tag, list(tags))
	case r.tag == "" && len(digests) > 1 && len(tags) > 1:
		return nil, fmt.Errorf("holds %d images: name one, there is %s", len(digests), list(tags))
	}
	return found, nil
}

// list names tags in an error; the images without one can be named by digest alone.
func list(tags map[string]bool) string {
	const most = 20
	var names []string
	for tag := range tags {
		if tag != "" {
			names = append(names, strconv.Quote(tag))
		}
	}
	slices.Sort(names)
	if len(names) > most {
		names = append(names[:most], "…")
	}
	if tags[""] {
		names = append(names, "one or more without a tag")
	}
	return strings.Join(names, ", ")
}

// byDigest describes a blob that isn't named by any descriptor of the index, perhaps.
func (l *layout) byDigest(sum digest.Digest) (ocispec.Descriptor, error) {
	d := ocispec.Descriptor{Digest: sum}
	if err := sum.Validate(); err != nil {
		return d, fmt.Errorf("digest %q: %w", string(sum), err)
	}
	f, size, err := l.source.open(blobPath(sum))
	if err != nil {
		return d, fmt.Errorf("blob %s: %w", sum, err)
	}
	f.Close()
	d.Size = size
	text, err := l.document(d)
	if err != nil {
		return d, err
	}
	var doc document
	if err := decode(text, &doc); err != nil {
		return d, fmt.Errorf("blob %s: %w", sum, err)
	}
	if d.MediaType = doc.kind(); !isIndex(d.MediaType) && !isManifest(d.MediaType) {
		return d, fmt.Errorf("blob %s: of type %q, neither an index nor a manifest", sum, d.MediaType)
	}
	return d, doc.check(d.MediaType)
}

// image reads a manifest and the configuration that it names.
func (l *layout) image(d ocispec.Descriptor) (*image, error) {
	doc, err := l.read(d)
	if err != nil {
		return nil, err
	}
	if !isConfig(doc.Config.MediaType) {
		return nil, fmt.Errorf("manifest %s: not an image: its config is of type %q", d.Digest, doc.Config.MediaType)
	}
	text, err := l.document(doc.Config)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	i := &image{layout: l, layers: doc.Layers}
	if err := decode(text, &i.config); err != nil {
		return nil, fmt.Errorf("config: blob %s: %w", doc.Config.Digest, err)
	}
	if n := len(i.config.RootFS.DiffIDs); n != len(i.layers) {
		return nil, fmt.Errorf("config: rootfs.diff_ids: %d of them for %d layers", n, len(i.layers))
	}
	for n, sum := range i.config.RootFS.DiffIDs {
		if err := sum.Validate(); err != nil {
			return nil, fmt.Errorf("config: rootfs.diff_ids[%d]: %q: %w", n, string(sum), err)
		}
	}
	for n, d := range i.layers {
		if _, err := packed(d.MediaType); err != nil {
			return nil, fmt.Errorf("layers[%d]: %w", n, err)
		}
	}
	return i, nil
}
