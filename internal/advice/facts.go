package advice

// Facts are what rows ask of the host.
type Facts interface {
	// Read gives the beginning of one of the host's own files, without blanks
	// around it; "" if it can't be read.
	Read(path string) string
	// Names lists a directory of the host; nil if it can't be read.
	Names(dir string) []string
	// Look looks at a path inside a directory as a process would whose root that
	// is: "/" is the host's.
	Look(root, path string) File
	// Link gives the text of a symbolic link at a path inside a directory; "" if there is none.
	Link(root, path string) string
	// UID is the caller's effective user ID.
	UID() int
	// Limit is the caller's own hard limit of a resource, by its number (getrlimit(2)).
	Limit(resource int) uint64
	// Status is a container's: created, running, paused, stopped; "" if it isn't known.
	Status(id string) string
	// Roots are where the states of containers are: the one that was looked in first.
	Roots() []string
}

// File is what lies at a path; Mode is 0 if nothing does, or it can't be seen.
type File struct {
	Mode     uint32 // as stat(2) has it
	UID, GID uint32
	Head     string // the first 4 KiB of a regular file that can be read
	FS       int64  // the file system's type (statfs(2)), as are
	Flags    int64  // ST_NOEXEC … of the mount
	Blocks   uint64 // that an ordinary user may still take
	Inodes   uint64
}
