package image

import (
	"fmt"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Docker's media types, which tools leave in a layout when they copy an image as it is
// (image-spec, media-types.md, Compatibility Matrix).
const (
	dockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
	dockerLayer    = "application/vnd.docker.image.rootfs.diff.tar"
	dockerForeign  = "application/vnd.docker.image.rootfs.foreign.diff.tar"
)

// nonDistributable begins the media types of layers that are deprecated since image-spec 1.1.
const nonDistributable = "application/vnd.oci.image.layer.nondistributable."

func isIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == dockerIndex
}

func isManifest(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageManifest || mediaType == dockerManifest
}

func isConfig(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageConfig || mediaType == dockerConfig
}

// compression is how a layer's tar archive is packed.
type compression int

const (
	plain compression = iota
	gzipped
	zstandard
)

// packed tells how a layer is packed, or why it can't be unpacked.
func packed(mediaType string) (compression, error) {
	switch mediaType {
	case ocispec.MediaTypeImageLayer, dockerLayer:
		return plain, nil
	case ocispec.MediaTypeImageLayerGzip, dockerLayer + ".gzip":
		return gzipped, nil
	case ocispec.MediaTypeImageLayerZstd, dockerLayer + ".zstd":
		return zstandard, nil
	}
	// Layers that are to be had elsewhere: nothing proves that the layout may
	// hold them, and no tool writes them any more (layer.md, Non-Distributable Layers).
	if strings.HasPrefix(mediaType, nonDistributable) || strings.HasPrefix(mediaType, dockerForeign) {
		return plain, fmt.Errorf("a layer of type %q is not distributed with its image", mediaType)
	}
	return plain, fmt.Errorf("a layer of the unknown type %q", mediaType)
}
