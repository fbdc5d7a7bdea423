package lifecycle

import (
	"runtime"
	"strings"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/minirt/minirt/internal/tree"
	"github.com/minirt/minirt/rootfs"
	"golang.org/x/sys/unix"
)

// The descriptors of the small stage that makes and removes nodes.
const (
	plugSync   = 3
	plugTarget = 4 // pidfd of the container's process
	plugTree   = 5 // the host's node, where the container has a user namespace
)

// within is how a path of the container's is walked: it leads nowhere else, and
// over no link.
const within = unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_SYMLINKS

// make makes the node, as the host's is.
func (p *plug) make(n *RecordDevice) error {
	st, err := hostDevice(n.Source)
	if err != nil {
		return err
	}
	files := []uintptr{none, none, none, none, uintptr(p.target)}
	if n.Bound {
		fd, err := tree.HostNode(n.Source, n.kind(), n.number())
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		files = append(files, uintptr(fd))
	}
	return p.run(p.makePlan(n, &st), files)
}

// remake makes a node again that was to be removed, if it was.
func (p *plug) remake(n *RecordDevice) error {
	there, exists, err := p.holds(n)
	if there || err != nil {
		return err
	}
	m := *n
	m.Exists = exists
	return p.make(&m)
}

// unmake removes the node and the directories that were made for it. What the
// container has put in its place stays.
func (p *plug) unmake(n *RecordDevice) error {
	there, exists, err := p.holds(n)
	if err == errGone {
		return nil
	}
	if err != nil {
		return err
	}
	if n.Bound && !there && exists == rootfs.Components(n.Path) {
		there = true // the empty file that it was to be bound on
	}
	if !there && exists <= n.Exists {
		return nil
	}
	return p.run(p.unmakePlan(n, there, exists), []uintptr{none, none, none, none, uintptr(p.target)})
}

// enter begins a plan of a stage that joins the container's mount namespace; root
// is the container's root.
func (p *plug) enter() (q *plan.Plan, root plan.Register) {
	arch, _ := plan.ArchOf(runtime.GOARCH)
	q = plan.New(arch, plugSync)
	q.At("device of update")
	q.Do(plan.Prctl, prSetDumpable, 0)
	if p.flags != 0 {
		q.Do(plan.Setns, plugTarget, int(p.flags))
	}
	q.Do(plan.Close, plugTarget)
	if p.flags&unix.CLONE_NEWUSER != 0 {
		becomeRoot(q)
	}
	if p.flags&unix.CLONE_NEWNS == 0 { // the container is a chroot
		q.Do(plan.Chroot, p.Rootfs)
	}
	q.Do(plan.Umask, 0)
	root = q.Register("root")
	q.Do(plan.Openat, atFDCWD, "/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0).To(root)
	return q, root
}

// makePlan makes what is missing of the directory, and the node.
func (p *plug) makePlan(n *RecordDevice, st *unix.Stat_t) *plan.Plan {
	q, root := p.enter()
	dir := q.Register("dir")
	parts := strings.Split(n.Path, "/")
	name := parts[len(parts)-1]
	for i := n.Exists; i < len(parts)-1; i++ {
		openWithin(q, root, parts[:i]).To(dir)
		q.Do(plan.Mkdirat, dir, parts[i], 0o755)
		q.Do(plan.Close, dir)
	}
	openWithin(q, root, parts[:len(parts)-1]).To(dir)
	if n.Bound {
		q.Do(plan.Mknodat, dir, name, unix.S_IFREG|0o644, 0)
		file := q.Register("file")
		q.Do(plan.Openat2, dir, name, q.How(unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0, within), plan.HowSize).To(file)
		q.Do(plan.MoveMount, plugTree, "", file, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	} else {
		q.Do(plan.Mknodat, dir, name, uint64(n.kind()|st.Mode&0o7777), n.number())
		q.Do(plan.Fchownat, dir, name, uint64(st.Uid), uint64(st.Gid), unix.AT_SYMLINK_NOFOLLOW)
	}
	q.Do(plan.ExitGroup, 0)
	return q
}

// unmakePlan removes the node, if it is there, and those of the first exists
// directories that were made for it and are empty.
func (p *plug) unmakePlan(n *RecordDevice, there bool, exists int) *plan.Plan {
	q, root := p.enter()
	dir := q.Register("dir")
	parts := strings.Split(n.Path, "/")
	last := len(parts) - 1
	if there {
		openWithin(q, root, parts[:last]).To(dir)
		if n.Bound {
			q.Do(plan.Fchdir, dir)
			q.Do(plan.Umount2, parts[last], unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW).Tolerate(unix.EINVAL)
		}
		q.Do(plan.Unlinkat, dir, parts[last], 0)
		q.Do(plan.Close, dir)
	}
	for i := min(exists, last) - 1; i >= n.Exists; i-- {
		openWithin(q, root, parts[:i]).To(dir)
		q.Do(plan.Unlinkat, dir, parts[i], unix.AT_REMOVEDIR).Tolerate(unix.ENOTEMPTY, unix.EBUSY, unix.ENOENT)
		q.Do(plan.Close, dir)
	}
	q.Do(plan.ExitGroup, 0)
	return q
}

// openWithin opens a directory below root.
func openWithin(q *plan.Plan, root plan.Register, parts []string) *plan.Step {
	path := strings.Join(parts, "/")
	if path == "" {
		path = "."
	}
	return q.Do(plan.Openat2, root, path, q.How(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0, within), plan.HowSize)
}

// run runs a plan to its end. files[plugSync] is filled in.
func (p *plug) run(q *plan.Plan, files []uintptr) error {
	image, err := seal(q, p.path)
	if err != nil {
		return err
	}
	defer unix.Close(image)
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	defer unix.Close(ours)
	files[plugSync] = uintptr(theirs)
	proc, err := stage.Start(image, []string{"minirt", "device"}, files, 0, -1)
	unix.Close(theirs)
	if err != nil {
		return err
	}
	defer unix.Close(proc.PIDFD)
	b := make([]byte, 16)
	n := receive(ours, b)
	ws := wait(proc.PID)
	if r, ok := stage.ParseReport(b[:n]); ok {
		return because(q.Sentence(r.Step), unix.Errno(r.Errno))
	}
	if !ws.Exited() || ws.ExitStatus() != 0 {
		return text("the stage that was to change the container's /dev has died")
	}
	return nil
}
