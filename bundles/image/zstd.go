package image

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// zstd has a blob uncompressed by the program zstd. The libraries for it ask for
// the processor's features when a program starts, which would cost every verb of
// minirt 190 µs; and such layers are few.
//
// The program gets a file of the blob, which is proven first: what is read of it
// after that is proven once more by the layer's diff_id. No goroutine has to feed it.
func (s *stream) zstd(b *blob) error {
	program, err := onPath("zstd")
	if err != nil {
		return fmt.Errorf("a layer packed by zstd: %w", err)
	}
	packed, err := b.proven()
	if err != nil {
		return err
	}
	defer packed.Close() // the program has its own
	words, err := unix.MemfdCreate("zstd", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	said := os.NewFile(uintptr(words), "zstd")
	from, to, err := os.Pipe()
	if err != nil {
		said.Close()
		return err
	}
	p, err := os.StartProcess(program, []string{"zstd", "-dcq"}, &os.ProcAttr{Files: []*os.File{packed, to, said}})
	to.Close()
	if err != nil {
		from.Close()
		said.Close()
		return fmt.Errorf("%s: %w", program, errnoOf(err))
	}
	s.Reader = interruptible{from, b.interrupted}
	s.finish = func() error {
		_, err := io.Copy(io.Discard, from)
		return errors.Join(err, ended(program, p, said))
	}
	s.close = func() {
		from.Close() // it ends by SIGPIPE, if it hasn't
		p.Wait()     // again, perhaps: that is an error of no interest
		said.Close()
		b.Close()
	}
	return nil
}

// interruptible is a reader that asks first whether to go on.
type interruptible struct {
	io.Reader
	interrupted func() error
}

func (r interruptible) Read(p []byte) (int, error) {
	if err := r.interrupted(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// proven gives a file with the blob, at its beginning, after all of it was
// proven. That of an archive is copied to one without a name.
func (b *blob) proven() (*os.File, error) {
	if f, ok := b.file.(*os.File); ok {
		if err := b.check(); err != nil {
			return nil, err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		return os.NewFile(uintptr(fd), f.Name()), err
	}
	f, err := os.OpenFile(os.TempDir(), os.O_RDWR|unix.O_TMPFILE, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(f, b); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ended waits for the program, and tells what was wrong.
func ended(program string, p *os.Process, said *os.File) error {
	state, err := p.Wait()
	if err != nil || state.Success() {
		return err
	}
	text := make([]byte, 512)
	n, _ := said.ReadAt(text, 0)
	line, _, _ := strings.Cut(strings.TrimSpace(string(text[:n])), "\n")
	return fmt.Errorf("%s: %s: %q", program, state, line)
}

// onPath looks a program up along PATH, in absolute directories alone.
func onPath(name string) (string, error) {
	for dir := range strings.SplitSeq(os.Getenv("PATH"), ":") {
		file := dir + "/" + name
		if info, err := os.Stat(file); strings.HasPrefix(dir, "/") && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("the program %q is needed, and not on PATH", name)
}
