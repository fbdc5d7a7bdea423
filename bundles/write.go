package bundles

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Write makes dir/config.json from s, indented with tabs, with the mode that
// the umask leaves of 0666. A config.json that exists, a dangling link too, is
// an error and stays as it is.
func Write(dir string, s *specs.Spec) error {
	text, err := encode(s)
	if err != nil {
		return err
	}
	name := path.Join(dir, "config.json")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%q exists: remove it first", name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(name)
	}
	return err
}

// encode gives the text of s as people read it: "<" stays "<".
func encode(s *specs.Spec) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "\t")
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return text.Bytes(), err
}
