package image

import (
	"fmt"
	"io"

	_ "crypto/sha256" // the digests that image-spec, descriptor.md, wants everybody to know
	_ "crypto/sha512" // and those that it allows

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A blob is the content that a descriptor stands for. Its end is told by io.EOF
// only if size and digest are those of the descriptor; another content is an error.
type blob struct {
	file        io.ReadSeekCloser
	digest      digest.Digest
	verify      digest.Verifier
	left        int64
	interrupted func() error
}

// open opens the blob of a descriptor, which is a regular file under blobs/ALGORITHM/.
func (l *layout) open(d ocispec.Descriptor) (*blob, error) {
	if err := d.Digest.Validate(); err != nil { // no path but that of a blob comes of it
		return nil, fmt.Errorf("digest %q: %w", string(d.Digest), err)
	}
	f, size, err := l.source.open(blobPath(d.Digest))
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", d.Digest, err)
	}
	if size != d.Size {
		f.Close()
		return nil, fmt.Errorf("blob %s: has %d bytes, not %d", d.Digest, size, d.Size)
	}
	return &blob{file: f, digest: d.Digest, verify: d.Digest.Verifier(), left: size, interrupted: l.interrupted}, nil
}

func (b *blob) Read(p []byte) (int, error) {
	if err := b.interrupted(); err != nil {
		return 0, err
	}
	if b.left == 0 {
		if !b.verify.Verified() {
			return 0, fmt.Errorf("blob %s: another content than its digest says", b.digest)
		}
		return 0, io.EOF
	}
	n, err := b.file.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	b.verify.Write(p[:n])
	if err == io.EOF && b.left > 0 {
		err = fmt.Errorf("blob %s: ends %d bytes too early", b.digest, b.left)
	}
	return n, err
}

func (b *blob) Close() error { return b.file.Close() }

// check reads what is left of the blob, for the sake of its digest alone.
func (b *blob) check() error {
	_, err := io.Copy(io.Discard, b)
	return err
}

// maxDocument bounds indexes, manifests and configurations: 4 MiB, as registries do.
const maxDocument = 4 << 20

// document reads a small blob whole.
func (l *layout) document(d ocispec.Descriptor) ([]byte, error) {
	if d.Size > maxDocument {
		return nil, fmt.Errorf("blob %s: %d bytes: larger than %d MiB", d.Digest, d.Size, maxDocument>>20)
	}
	b, err := l.open(d)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	return io.ReadAll(b)
}
