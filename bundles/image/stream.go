package image

import (
	"compress/gzip"
	"fmt"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A stream is a layer's tar archive. finish reads the rest of it, and tells
// whether the blob was what its descriptor says.
type stream struct {
	io.Reader
	finish func() error
	close  func()
}

// openLayer opens a layer, uncompressed.
func (l *layout) openLayer(d ocispec.Descriptor) (*stream, error) {
	c, err := packed(d.MediaType)
	if err != nil {
		return nil, err
	}
	b, err := l.open(d)
	if err != nil {
		return nil, err
	}
	s := &stream{Reader: b, finish: b.check, close: func() { b.Close() }}
	switch c {
	case gzipped:
		if s.Reader, err = gzip.NewReader(b); err != nil {
			err = fmt.Errorf("gzip: %w", err)
		}
	case zstandard:
		err = s.zstd(b)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}
