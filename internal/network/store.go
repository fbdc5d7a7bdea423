package network

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A store is the directory of the leases, locked: it is there while somebody
// has a lease, or is about to.
type store struct {
	leases
	path string
	dir  *os.File
}

// leasesFile is the one file of the directory, replaced in one piece.
const leasesFile = "leases"

// openStore waits for the directory's lock and reads the leases. Without one, it
// is made, or ENOENT given.
func openStore(path string, create bool) (*store, error) {
	for {
		if create {
			if err := os.MkdirAll(path, 0o700); err != nil {
				return nil, step(err, "leases")
			}
		}
		dir, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
		if create && errors.Is(err, unix.ENOENT) { // the last lease has just gone
			continue
		}
		if err != nil {
			return nil, step(err, "leases")
		}
		s := &store{path: path, dir: dir}
		switch gone, err := s.lock(); {
		case err != nil:
			s.close()
			return nil, step(err, "lock %q", path)
		case gone && !create:
			s.close()
			return nil, unix.ENOENT
		case gone:
			s.close()
			continue
		}
		if err := s.read(); err != nil {
			s.close()
			return nil, step(err, "leases %q", filepath.Join(path, leasesFile))
		}
		return s, nil
	}
}

// lock waits for the lock, and tells whether somebody has removed the directory meanwhile.
func (s *store) lock() (gone bool, err error) {
	fd := int(s.dir.Fd())
	for {
		if err = unix.Flock(fd, unix.LOCK_EX); err != unix.EINTR {
			break
		}
	}
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(fd, &st)
	}
	return st.Nlink == 0, err
}

func (s *store) read() error {
	text, err := os.ReadFile(filepath.Join(s.path, leasesFile))
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err == nil {
		s.leases, err = parseLeases(string(text))
	}
	return err
}

// write replaces the file. A machine that loses its power loses the devices too,
// and with them the leases: so nothing waits for a disk.
func (s *store) write() error {
	name := filepath.Join(s.path, leasesFile)
	err := os.WriteFile(name+".new", []byte(s.text()), 0o600)
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	return step(err, "leases")
}

// leave removes the directory if nobody has a lease.
func (s *store) leave() error {
	if len(s.list) > 0 {
		return nil
	}
	for _, name := range [...]string{leasesFile + ".new", leasesFile, ""} {
		if err := os.Remove(filepath.Join(s.path, name)); err != nil && !errors.Is(err, unix.ENOENT) {
			return step(err, "leases")
		}
	}
	return nil
}

// close lets go of the lock.
func (s *store) close() { s.dir.Close() }
