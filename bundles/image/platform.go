package image

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Bounds of what is looked at to find an image: indexes may hold indexes, and a
// layout has no bound of its own.
const (
	maxDepth  = 8
	maxLeaves = 4096
)

// leaves are the manifests that indexes lead to.
type leaves struct {
	layout *layout
	list   []ocispec.Descriptor
	seen   map[digest.Digest]bool // a digest that is named twice is one image
}

func (v *leaves) add(d ocispec.Descriptor, depth int) error {
	if v.seen[d.Digest] {
		return nil
	}
	v.seen[d.Digest] = true
	switch {
	case depth > maxDepth:
		return fmt.Errorf("index %s: more than %d indexes deep", d.Digest, maxDepth)
	case len(v.seen) > maxLeaves:
		return fmt.Errorf("more than %d manifests to choose from", maxLeaves)
	case isManifest(d.MediaType):
		v.list = append(v.list, d)
	case isIndex(d.MediaType):
		doc, err := v.layout.read(d)
		if err != nil {
			return err
		}
		for _, m := range doc.Manifests {
			if err := v.add(m, depth+1); err != nil {
				return err
			}
		}
	}
	return nil // other types are legal, and no image (image-index.md)
}

// best chooses the manifest for a platform: the highest variant that isn't above
// the wanted one. Where a descriptor doesn't tell the platform the image's
// configuration does.
func (v *leaves) best(want ocispec.Platform) (best ocispec.Descriptor, err error) {
	var others []string
	highest, ties := -1, 0
	for _, d := range v.list {
		have, err := v.platform(d)
		if err != nil {
			return d, err
		}
		n, ok := fits(have, want)
		switch {
		case !ok:
			others = append(others, platformName(have))
		case n > highest:
			best, highest, ties = d, n, 0
		case n == highest:
			ties++
		}
	}
	switch {
	case ties > 0:
		return best, fmt.Errorf("%d images for %s: name one by its digest", ties+1, platformName(want))
	case highest < 0 && len(others) == 0:
		return best, errors.New("holds no image")
	case highest < 0:
		return best, fmt.Errorf("no image for %s: there is %s", platformName(want), strings.Join(others, ", "))
	}
	return best, nil
}

func (v *leaves) platform(d ocispec.Descriptor) (ocispec.Platform, error) {
	if d.Platform != nil {
		return *d.Platform, nil
	}
	i, err := v.layout.image(d)
	if err != nil {
		if len(v.list) > 1 { // an artifact beside the images: a signature, say
			return ocispec.Platform{OS: "unknown", Architecture: "unknown"}, nil
		}
		return ocispec.Platform{}, err
	}
	return i.config.Platform, nil
}

// fits tells whether an image for the one platform runs on the other, and how well.
func fits(have, want ocispec.Platform) (n int, ok bool) {
	has, wants := variant(have), variant(want)
	return has, have.OS == want.OS && have.Architecture == want.Architecture && has >= 0 && has <= wants
}

// variant is the number of a variant "v7", or what an architecture means that
// names none (image-index.md, Platform Variants; amd64's are the levels of its
// psABI); -1 for one of another kind.
func variant(p ocispec.Platform) int {
	if p.Variant == "" {
		switch p.Architecture {
		case "amd64":
			return 1
		case "arm64":
			return 8
		case "arm":
			return 7
		}
		return 0
	}
	n, err := strconv.Atoi(strings.TrimPrefix(p.Variant, "v"))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

func platformName(p ocispec.Platform) string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

func splitPlatform(s string) (p ocispec.Platform, ok bool) {
	f := strings.Split(s, "/")
	if len(f) < 2 || len(f) > 3 || f[0] == "" || f[1] == "" {
		return p, false
	}
	p.OS, p.Architecture = f[0], f[1]
	if len(f) == 3 {
		p.Variant = f[2]
	}
	return p, variant(p) >= 0
}
