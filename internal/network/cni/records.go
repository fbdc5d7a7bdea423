package cni

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containernetworking/cni/libcni"
	"golang.org/x/sys/unix"
)

// records are a directory: ID.conflist is the configuration that a container is
// connected by, ID.netns the mount that keeps its network namespace, and
// results/ what libcni remembers. Who has it open holds a shared lock, so that
// only the last one removes it.
type records struct {
	path string
	dir  *os.File
}

// errNone means that there is no such directory.
var errNone = errors.New("none")

// openRecords opens the directory. Without one, it is made, or errNone given.
func openRecords(path string, create bool) (*records, error) {
	for {
		if create {
			if err := os.MkdirAll(path, 0o700); err != nil {
				return nil, bare(err)
			}
		}
		dir, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
		if errors.Is(err, unix.ENOENT) {
			if !create {
				return nil, errNone
			}
			continue // the last one has just removed it
		}
		if err != nil {
			return nil, bare(err)
		}
		r := &records{path: path, dir: dir}
		gone, err := r.lock()
		if err != nil || gone {
			dir.Close()
		}
		switch {
		case err != nil:
			return nil, err
		case gone && !create:
			return nil, errNone
		case !gone:
			return r, nil
		}
	}
}

// lock takes the shared lock, and tells whether the directory was removed meanwhile.
func (r *records) lock() (gone bool, err error) {
	for {
		if err = unix.Flock(int(r.dir.Fd()), unix.LOCK_SH); err != unix.EINTR {
			break
		}
	}
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(int(r.dir.Fd()), &st)
	}
	return st.Nlink == 0, err
}

// close removes the directory if it is empty and nobody else has it, and lets go of it.
func (r *records) close() {
	if unix.Flock(int(r.dir.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		os.Remove(filepath.Join(r.path, "results"))
		os.Remove(r.path)
	}
	r.dir.Close()
}

func (r *records) file(id, kind string) string { return filepath.Join(r.path, id+kind) }

// write keeps a configuration, with all plugins in one file.
func (r *records) write(id string, list *libcni.NetworkConfigList) error {
	whole := struct {
		Version string            `json:"cniVersion"`
		Name    string            `json:"name"`
		Inlined bool              `json:"loadOnlyInlinedPlugins"`
		Plugins []json.RawMessage `json:"plugins"`
	}{list.CNIVersion, list.Name, true, nil}
	for _, p := range list.Plugins {
		whole.Plugins = append(whole.Plugins, p.Bytes)
	}
	text, err := json.Marshal(whole)
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.file(id, ".new"), text, 0o600); err != nil {
		return bare(err)
	}
	return os.Rename(r.file(id, ".new"), r.file(id, ".conflist"))
}

// read gives the configuration that a container is connected by, or nil.
func (r *records) read(id string) (*libcni.NetworkConfigList, error) {
	text, err := os.ReadFile(r.file(id, ".conflist"))
	if errors.Is(err, fs.ErrNotExist) {
		os.Remove(r.file(id, ".new")) // of an Up that was killed before it made anything
		return nil, nil
	}
	if err != nil {
		return nil, bare(err)
	}
	return libcni.NetworkConfFromBytes(text)
}

// remove forgets a container, and lets go of its namespace; the record last, so
// that what fails is tried again.
func (r *records) remove(id string) error {
	if err := r.letGo(id); err != nil {
		return err
	}
	if err := os.Remove(r.file(id, ".conflist")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return bare(err)
	}
	return nil
}
