package lifecycle

import (
	"strconv"
	"strings"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// hookPlace is one of the six kinds of hooks (config.md, POSIX-platform Hooks).
type hookPlace struct {
	name   string
	inside bool // runs in the container's namespaces
}

var (
	prestart        = hookPlace{"prestart", false}
	createRuntime   = hookPlace{"createRuntime", false}
	createContainer = hookPlace{"createContainer", true}
	startContainer  = hookPlace{"startContainer", true}
	poststart       = hookPlace{"poststart", false}
	poststop        = hookPlace{"poststop", false}
)

// hookError is the failure of one hook.
type hookError struct {
	place hookPlace
	n     int
	hook  *specs.Hook
	cause error
}

func (e *hookError) Error() string {
	return e.path() + ": error running " + e.place.name + " hook #" + strconv.Itoa(e.n) + ": " + e.cause.Error()
}

func (e *hookError) Unwrap() error { return e.cause }

func (e *hookError) path() string { return index("hooks."+e.place.name, e.n) }

// errTimeout is a hook that took longer than its timeout, in seconds.
type errTimeout int

func (e errTimeout) Error() string { return "timed out after " + strconv.Itoa(int(e)) + " s" }

// runHooks runs the hooks of one kind in order and stops at the first that
// fails. state is what each gets on its standard input. Their environment is
// what hooks[].env says and nothing else, and their directory is the bundle,
// or / inside the container (SEC-47).
func runHooks(place hookPlace, hooks []specs.Hook, state []byte, start func(h *specs.Hook, files []uintptr) (pid int, err error)) error {
	for i := range hooks {
		if err := runHook(&hooks[i], state, start); err != nil {
			return &hookError{place, i, &hooks[i], err}
		}
	}
	return nil
}

// runHook runs one hook and words its failure. Its input and output are files
// in memory: a hook that never reads, or writes without end, blocks nobody.
func runHook(h *specs.Hook, state []byte, start func(*specs.Hook, []uintptr) (int, error)) error {
	files := make([]uintptr, 3)
	for i := range files {
		fd, err := unix.MemfdCreate("hook", unix.MFD_CLOEXEC)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		files[i] = uintptr(fd)
	}
	if err := writeAll(int(files[0]), state); err != nil {
		return err
	}
	if _, err := unix.Seek(int(files[0]), 0, 0); err != nil {
		return err
	}
	pid, err := start(h, files)
	if err != nil {
		return because(quote(h.Path), err)
	}
	cause := waitHook(pid, h.Timeout)
	if said := output("stdout", int(files[1])) + output("stderr", int(files[2])); cause != nil && said != "" {
		return &remark{cause, said}
	}
	return cause
}

// remark is an error with what a program said last.
type remark struct {
	error
	said string
}

func (r *remark) Error() string { return r.error.Error() + r.said }
func (r *remark) Unwrap() error { return r.error }

// waitHook waits for a hook, at most timeout seconds if there is a timeout.
func waitHook(pid int, timeout *int) error {
	if timeout != nil {
		fd, err := unix.PidfdOpen(pid, 0)
		if err == nil {
			defer unix.Close(fd)
		}
		if err != nil || !ended(fd, *timeout*1000) {
			unix.Kill(-pid, unix.SIGKILL)
			unix.Kill(pid, unix.SIGKILL)
			wait(pid)
			return errTimeout(*timeout)
		}
	}
	switch ws := wait(pid); {
	case ws.Signaled():
		return text("killed by signal " + strconv.Itoa(int(ws.Signal())))
	case ws.ExitStatus() != 0:
		return text("exit status " + strconv.Itoa(ws.ExitStatus()))
	}
	return nil
}

// output quotes the last words that a hook wrote.
func output(name string, fd int) string {
	const most = 1024
	size, err := unix.Seek(fd, 0, 2)
	if err != nil || size == 0 {
		return ""
	}
	b := make([]byte, min(size, most))
	n, err := unix.Pread(fd, b, size-int64(len(b)))
	if err != nil {
		return ""
	}
	return ", " + name + ": " + quote(strings.TrimSpace(string(b[:n])))
}

// startHook starts a hook in the runtime's namespaces. Only what hooks name is
// ever run there, nothing that an annotation or an image names (SEC-27).
func startHook(bundle string) func(*specs.Hook, []uintptr) (int, error) {
	return func(h *specs.Hook, files []uintptr) (int, error) {
		env := h.Env
		if env == nil {
			env = []string{}
		}
		return syscall.ForkExec(h.Path, hookArgs(h), &syscall.ProcAttr{
			Dir: bundle, Env: env, Files: files, Sys: &syscall.SysProcAttr{Setpgid: true},
		})
	}
}

func hookArgs(h *specs.Hook) []string {
	if len(h.Args) == 0 {
		return []string{h.Path}
	}
	return h.Args
}

// waitGroup reaps the children of a process group.
func waitGroup(pgid int) {
	for {
		if _, err := syscall.Wait4(-pgid, nil, 0, nil); err != nil && err != syscall.EINTR {
			return
		}
	}
}

// wait reaps a child.
func wait(pid int) (ws syscall.WaitStatus) {
	for {
		if _, err := syscall.Wait4(pid, &ws, 0, nil); err != syscall.EINTR {
			return ws
		}
	}
}
