package tree

import (
	"errors"
	"runtime"
	"strconv"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// UserNamespace makes a user namespace with these mappings, for id-mapped
// mounts: a namespace needs a first process, and here that is a stage that
// waits to be killed. The descriptor keeps the namespace. dir is where the stage's
// image lies, without a name, if no memfd can be executed (stage.Seal).
func UserNamespace(uids, gids []specs.LinuxIDMapping, dir string) (fd int, err error) {
	pid, err := waiting(dir)
	if err != nil {
		return -1, errors.New("user namespace: " + err.Error())
	}
	defer reap(pid)
	proc := "/proc/" + strconv.Itoa(pid)
	if err := put(proc+"/uid_map", mappings(uids)); err != nil {
		return -1, errors.New("uidMappings: " + err.Error())
	}
	if err := put(proc+"/gid_map", mappings(gids)); err != nil {
		return -1, errors.New("gidMappings: " + err.Error())
	}
	fd, err = unix.Open(proc+"/ns/user", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, errors.New("user namespace: " + err.Error())
	}
	return fd, nil
}

// waiting starts a process in a new user namespace that waits for ever: its
// only descriptor is a pipe of which it holds both ends.
func waiting(dir string) (pid int, err error) {
	arch, ok := plan.ArchOf(runtime.GOARCH)
	if !ok {
		return 0, errors.New("no stage for " + runtime.GOARCH)
	}
	p := plan.New(arch, 1)
	p.Do(plan.Read, 0, p.Buffer("byte", make([]byte, 8)), 1)
	p.Do(plan.ExitGroup, 0)
	image, err := stage.Image(p)
	if err != nil {
		return 0, err
	}
	sealed, err := stage.Seal(image, dir)
	if err != nil {
		return 0, err
	}
	defer unix.Close(sealed)
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return 0, err
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	process, err := stage.Start(sealed, []string{"minirt"}, []uintptr{uintptr(pipe[0]), uintptr(pipe[1])}, unix.CLONE_NEWUSER, -1)
	if err != nil {
		return 0, err
	}
	if process.PIDFD >= 0 {
		unix.Close(process.PIDFD)
	}
	return process.PID, nil
}

func reap(pid int) {
	unix.Kill(pid, unix.SIGKILL)
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}

// mappings writes a list as uid_map and gid_map take it (user_namespaces(7)).
func mappings(list []specs.LinuxIDMapping) string {
	b := make([]byte, 0, 32*len(list))
	for _, m := range list {
		b = append(strconv.AppendUint(b, uint64(m.ContainerID), 10), ' ')
		b = append(strconv.AppendUint(b, uint64(m.HostID), 10), ' ')
		b = append(strconv.AppendUint(b, uint64(m.Size), 10), '\n')
	}
	return string(b)
}

func put(file, text string) error {
	fd, err := unix.Open(file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(text)) // at once, or the kernel refuses
	return err
}
