// Package image makes bundles of OCI images that lie on disk as an image layout
// (image-spec v1.1, image-layout.md): it chooses an image, unpacks its layers
// (layer.md) and turns its configuration into config.json (conversion.md).
// Docker's media types in such a layout are read as well.
//
// Its laws:
//   - The image is untrusted. Every blob is read to its end and proven by size
//     and digest, each layer also by its diff_id; what isn't as promised leaves
//     no bundle.
//   - Nothing outside the new root file system is ever made, changed or removed,
//     whatever names and links the layers hold: each path is resolved by the
//     kernel inside the root (openat2(2), RESOLVE_IN_ROOT), and its last
//     component is never followed (SEC-56).
//   - Memory doesn't grow with the size of an image: documents are bounded,
//     layers are streams. For each entry of the upper layers eight bytes are
//     kept; disk space bounds the rest.
//   - The same image gives the same bundle, byte for byte.
//
// The layout itself may be anybody's that the caller can read. While a bundle is
// made, nobody else is to write to the bundle.
package image

import (
	"encoding/json"
	"fmt"
	"runtime"
	"unicode/utf8"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/spec"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Options say what is to be different from what the image says.
type Options struct {
	Args     []string                // instead of the image's Cmd, behind its Entrypoint
	Platform string                  // OS/ARCHITECTURE[/VARIANT]; empty for this machine's
	Edit     func(*specs.Spec) error // if set, changes the configuration before it is written
	Warn     func(text string)       // if set, is told what of the image isn't in the bundle, a line each

	// Interrupted, if set, is asked again and again: an error ends the work, and is Deploy's.
	Interrupted func() error
}

// Deploy makes a bundle at dir of an image in a layout. ref is "LAYOUT", a
// directory or an uncompressed tar archive of one; or "LAYOUT:TAG", where TAG is
// an org.opencontainers.image.ref.name of its index; or "LAYOUT@sha256:…", the
// digest of an index or a manifest. Without either, the layout must hold one
// image only, but perhaps for many platforms.
//
// The configuration is that of bundles.Default, or of bundles.Rootless for an
// ordinary user, changed as configure says. Owners, device nodes and file
// capabilities are the image's for root; for anybody else all files are the
// caller's, nodes are left out, and directories can be written to by their owner.
//
// dir must be absent, with its parent present, or empty; a new one is closed to
// other users, since images bring setuid programs and device nodes (SEC-39).
// After an error nothing that Deploy made is left.
func Deploy(dir, ref string, o Options) error {
	for _, arg := range o.Args {
		if !utf8.ValidString(arg) {
			return fmt.Errorf("%q: not UTF-8, so config.json can't hold it", arg)
		}
	}
	want, err := platform(o.Platform)
	if err != nil {
		return err
	}
	r := parseReference(ref)
	l, err := openLayout(r.layout)
	if err != nil {
		return fmt.Errorf("image layout %q: %w", r.layout, err)
	}
	defer l.close()
	if o.Interrupted != nil {
		l.interrupted = o.Interrupted
	}
	img, err := l.choose(r, want)
	if err != nil {
		return fmt.Errorf("image layout %q: %w", r.layout, err)
	}
	warnIfOpen(dir, o.warn)
	return bundles.Make(dir, func(rootfs string) (*specs.Spec, error) {
		if err := img.unpack(rootfs, o.warn); err != nil {
			return nil, fmt.Errorf("image layout %q: %w", r.layout, err)
		}
		s, err := img.configure(dir, rootfs, o)
		if err != nil {
			return nil, fmt.Errorf("image layout %q: config: %w", r.layout, err)
		}
		return s, edited(s, o.Edit)
	})
}

// edited has the configuration changed, and refuses what no container could be
// made of: what an image says may be no good, a NUL in a string, say.
func edited(s *specs.Spec, edit func(*specs.Spec) error) error {
	if edit != nil {
		if err := edit(s); err != nil {
			return err
		}
	}
	text, err := json.Marshal(s)
	if err == nil {
		_, _, err = spec.Load(text)
	}
	return err
}

func (o *Options) warn(text string) {
	if o.Warn != nil {
		o.Warn(text)
	}
}

// platform reads OS/ARCHITECTURE[/VARIANT].
func platform(s string) (ocispec.Platform, error) {
	p := ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH}
	if s == "" {
		return p, nil
	}
	p, ok := splitPlatform(s)
	if !ok {
		return p, fmt.Errorf("platform %q: not OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT", s)
	}
	return p, nil
}
