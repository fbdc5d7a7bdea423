package lifecycle

import (
	"os"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/json"
	"golang.org/x/sys/unix"
)

// dir is a container's directory below the runtime's root. Its existence is
// what makes an id taken. All its files are reached by its descriptor.
//
//	state.json   the Record, replaced in one piece
//	config.json  the bytes of the bundle's, as create read them: the bundle may change or go
//	words        what the steps behind the gate are for: Words
//	gate         FIFO that the created container's process reads; start writes a byte
//	report       FIFO that start reads: what became of it (gate.go)
//	exit         the exit status, where a log's writer keeps it (log.go)
//	shortcut     link whose text is enough for start and delete (shortcut.go)
type dir struct {
	root int    // descriptor of the runtime's root
	fd   int    // descriptor of the directory
	id   string // its name
	path string // absolute
}

const (
	stateFile  = "state.json"
	configFile = "config.json"
	wordsFile  = "words"
	gateFile   = "gate"
	reportFile = "report"
)

// DefaultRoot is where states are kept unless the caller says otherwise:
// /run/minirt, and below $XDG_RUNTIME_DIR for an ordinary user, or for the
// root of a user namespace that an ordinary user made (Podman).
func DefaultRoot() string {
	const name = "/minirt"
	if xdg := os.Getenv("XDG_RUNTIME_DIR"); xdg != "" && (os.Geteuid() != 0 || inUserNamespace() && os.Getenv("USER") != "root") {
		return xdg + name
	}
	return "/run" + name
}

// inUserNamespace tells whether the ids here are not the machine's own.
func inUserNamespace() bool {
	b, err := readFile("/proc/self/uid_map", 1<<16)
	if err != nil {
		return false
	}
	return strings.Join(strings.Fields(string(b)), " ") != "0 0 4294967295"
}

// openRoot opens the runtime's root. SEC-33: it must be a directory, no link,
// of the caller's own, that nobody else can write to.
func (r *Runtime) openRoot(create bool) (int, error) {
	const flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Open(r.Root, flags, 0)
	if err == unix.ENOENT && create {
		if err = makeAll(r.Root); err == nil {
			fd, err = unix.Open(r.Root, flags, 0)
		}
	}
	if err == unix.ELOOP || err == unix.ENOTDIR {
		return -1, text("state root " + r.Root + " is not a directory, or is a symbolic link: name another with --root")
	}
	if err != nil {
		return -1, on("--root", r.Root, "state root "+r.Root, err)
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return -1, on("--root", r.Root, "state root "+r.Root, err)
	}
	if int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		unix.Close(fd)
		what := "state root " + r.Root + " belongs to uid " + strconv.Itoa(int(st.Uid)) + " with mode 0" + strconv.FormatUint(uint64(st.Mode&0o7777), 8)
		return -1, on("--root", r.Root, what, text("it must be the caller's own, and writable by nobody else: use chmod go-w, or name another with --root"))
	}
	return fd, nil
}

// makeAll makes a directory with the parents that are missing. One below
// $XDG_RUNTIME_DIR gets the sticky bit, so that nobody tidies it away.
func makeAll(path string) error {
	mode := uint32(0o700)
	if xdg := os.Getenv("XDG_RUNTIME_DIR"); xdg != "" && strings.HasPrefix(path, xdg+"/") {
		mode |= unix.S_ISVTX
	}
	err := unix.Mkdir(path, mode)
	if i := strings.LastIndexByte(path, '/'); err == unix.ENOENT && i > 0 {
		if err = makeAll(path[:i]); err == nil {
			err = unix.Mkdir(path, mode)
		}
	}
	if err == unix.EEXIST {
		return nil
	}
	if err == nil && mode&unix.S_ISVTX != 0 { // mkdir(2) ignores it
		err = unix.Chmod(path, mode)
	}
	return err
}

// claim makes the container's directory: of many who try, exactly one can.
// Nobody else may look into it (SEC-39), and nothing is left there of a
// container that had the id before (SEC-30).
func (r *Runtime) claim(id string) (*dir, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	root, err := r.openRoot(true)
	if err != nil {
		return nil, err
	}
	if err = unix.Mkdirat(root, id, 0o700); err == nil {
		d, err := r.openDir(root, id)
		if err != nil && err != ErrNotExist { // a directory that has gone may be another's by now
			unix.Unlinkat(root, id, unix.AT_REMOVEDIR)
		}
		if err != nil {
			unix.Close(root)
		}
		return d, err
	}
	unix.Close(root)
	if err == unix.EEXIST {
		return nil, ErrExist
	}
	return nil, on("--root", r.Root, "state root "+r.Root, err)
}

// find opens the directory of a container, ErrNotExist if there is none.
func (r *Runtime) find(id string) (*dir, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	root, err := r.openRoot(false)
	if err != nil {
		if isNotExist(err) {
			return nil, ErrNotExist
		}
		return nil, err
	}
	d, err := r.openDir(root, id)
	if err != nil {
		unix.Close(root)
	}
	return d, err
}

func isNotExist(err error) bool {
	r, ok := err.(*reason)
	return ok && r.cause == unix.ENOENT
}

// openDir opens a container's directory; root stays the caller's on an error.
func (r *Runtime) openDir(root int, id string) (*dir, error) {
	fd, err := unix.Openat(root, id, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == nil {
		return &dir{root, fd, id, r.Root + "/" + id}, nil
	}
	if err == unix.ENOENT || err == unix.ENOTDIR || err == unix.ELOOP {
		return nil, ErrNotExist
	}
	return nil, because("state directory "+r.Root+"/"+id, err)
}

// close may be called again.
func (d *dir) close() {
	unix.Close(d.fd)
	unix.Close(d.root)
	d.fd, d.root = -1, -1
}

// removed tells that somebody has removed the directory: its name may be
// another's by now.
func (d *dir) removed() bool {
	var st unix.Stat_t
	return unix.Fstat(d.fd, &st) == nil && st.Nlink == 0
}

// record reads state.json; ErrNotExist if create was killed before it wrote it.
func (d *dir) record() (*Record, error) {
	b, err := readFileAt(d.fd, stateFile, 16<<20)
	if err == unix.ENOENT {
		return nil, ErrNotExist
	}
	if err != nil {
		return nil, because(d.path+"/"+stateFile, err)
	}
	rec, err := readRecord(b)
	if err != nil {
		return nil, because(d.path+"/"+stateFile, err)
	}
	return rec, nil
}

func (d *dir) write(rec *Record) error {
	if rec.Process.PID != 0 && !rec.plainDelete() { // it may have been
		unix.Unlinkat(d.fd, shortcutFile, 0)
	}
	if err := replaceAt(d.fd, stateFile, 0o600, rec.appendJSON(make([]byte, 0, 2048))); err != nil {
		return because(d.path+"/"+stateFile, err)
	}
	return nil
}

// keep writes a file that stays as it is: the config's own bytes, or the words.
func (d *dir) keep(name string, contents []byte) error {
	fd, err := unix.Openat(d.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err == nil {
		err = writeAll(fd, contents)
		if e := unix.Close(fd); err == nil {
			err = e
		}
	}
	if err != nil {
		return because(d.path+"/"+name, err)
	}
	return nil
}

// words gives the words of a step behind the gate.
func (d *dir) words(step int) (RecordStep, error) {
	b, err := readFileAt(d.fd, wordsFile, 1<<20)
	if err != nil {
		return RecordStep{}, because(d.path+"/"+wordsFile, err)
	}
	var w Words
	if faults := json.Decode(string(b), &w, decodeWords); len(faults) > 0 {
		return RecordStep{}, text(d.path + "/" + wordsFile + ": " + faults[0].Text)
	}
	for _, s := range w.Steps {
		if s.Step == step {
			return s, nil
		}
	}
	return RecordStep{}, text("the stage failed at step " + strconv.Itoa(step) + ", which has no words")
}

// lock waits until no other verb that changes the container is at work.
func (d *dir) lock() error {
	if err := flock(d.fd, unix.LOCK_EX); err != nil {
		return because("lock "+d.path, err)
	}
	return nil
}

// flock is flock(2), tried again when a signal came in between.
func flock(fd, how int) error {
	for {
		if err := unix.Flock(fd, how); err != unix.EINTR {
			return err
		}
	}
}

// unlock ends what lock began.
func (d *dir) unlock() { unix.Flock(d.fd, unix.LOCK_UN) }

// remove takes the directory away, state.json last of its files.
func (d *dir) remove() error {
	if d.removed() {
		return nil
	}
	for _, name := range [...]string{gateFile, reportFile, configFile, wordsFile, shortcutFile, "." + stateFile, stateFile} {
		unix.Unlinkat(d.fd, name, 0)
	}
	err := unix.Unlinkat(d.root, d.id, unix.AT_REMOVEDIR)
	for tries := 0; err == unix.ENOTEMPTY && tries < 100; tries++ { // a create that goes on may write there once more
		d.clear()
		err = unix.Unlinkat(d.root, d.id, unix.AT_REMOVEDIR)
	}
	if err != nil && err != unix.ENOENT {
		return because("state directory "+d.path, err)
	}
	return nil
}

// clear takes away what few containers have, and files that no minirt of this
// version makes.
func (d *dir) clear() {
	unix.Unlinkat(d.fd, notifyDir+"/"+notifyFile, 0)
	unix.Unlinkat(d.fd, notifyDir, unix.AT_REMOVEDIR)
	entries, _ := os.ReadDir(d.path)
	for _, e := range entries {
		unix.Unlinkat(d.fd, e.Name(), 0)
	}
}
