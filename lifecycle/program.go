package lifecycle

import (
	"strings"

	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// defaultPath is searched where process.env has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// program looks for args[0] as execvp(3) would, with the user's rights, and
// keeps what it found for execve: create is where engines want to hear that
// there is no such program. The last step of a search that found nothing fails
// with the errno that the words of notFound are made from.
func (c *compiler) program(p *specs.Process) {
	if len(p.Args) == 0 {
		return // start refuses
	}
	c.At("process.args[0]")
	program := c.register("program")
	candidates, search := programPaths(p)
	var found []int
	for _, name := range candidates {
		path := c.String(name)
		access := c.Do(plan.Faccessat2, atFDCWD, path, unix.X_OK, unix.AT_EACCESS)
		if search {
			access.Tolerate(unix.ENOENT, unix.EACCES, unix.ENOTDIR, unix.ELOOP).OnTolerated = 2
		}
		c.Do(plan.Faccessat2, atFDCWD, name+"/.", unix.F_OK, 0).Tolerate(unix.ENOTDIR).OnSuccess = 1
		c.Do(plan.Test, path).To(program)
		found = append(found, c.Last())
	}
	if search {
		c.Fail(unix.ENOENT)
	} else {
		c.Fail(unix.EISDIR)
	}
	for _, step := range found {
		c.JumpOnSuccess(step)
	}
}

// programPaths lists where the program may be; search tells that PATH decides.
func programPaths(p *specs.Process) (paths []string, search bool) {
	name := p.Args[0]
	if strings.IndexByte(name, '/') >= 0 {
		return []string{name}, false
	}
	if name == "" {
		return nil, true
	}
	for _, d := range strings.Split(environment(p.Env, "PATH", defaultPath), ":") {
		if d == "" { // the working directory, as ever
			d = "."
		}
		paths = append(paths, strings.TrimSuffix(d, "/")+"/"+name)
	}
	return paths, true
}

// environment gives the value of a variable: of several the first, as getenv(3) has it.
func environment(env []string, name, otherwise string) string {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return otherwise
}

// notFound words the failure to find the program, as engines search for it
// (docs/cli.md, texts that engines search for).
func notFound(name string, errno unix.Errno) string {
	what := "exec: " + quote(name) + ": "
	switch {
	case errno == unix.ENOENT && strings.IndexByte(name, '/') < 0:
		return what + "executable file not found in $PATH"
	case errno == unix.ENOENT:
		return what + "stat " + name + ": no such file or directory"
	}
	return what + errno.Error()
}
