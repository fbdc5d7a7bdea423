// Package network gives containers a network: a bridge of the host's, an
// address on it, a way out, and ports of the host that lead in. Its Up and Down
// are what the hooks createRuntime and poststop do (config.md, POSIX-platform
// Hooks).
//
// Its laws:
//   - All that is asked for stands in a Bridge, which is what the hook's
//     arguments in config.json say; nothing is decided behind it.
//   - What there is on the host is a function of the leases, a line for each
//     container in one file. Who changes anything holds the lock on their
//     directory. A lease is written before what it stands for is made, and taken
//     away after that is gone: so an Up or a Down that was killed at any point is
//     made good by the next.
//   - A lease lives as long as its device on the host does, and the kernel
//     removes that together with the container's network namespace: a container
//     that has crashed, or the machine with it, keeps no address.
//   - Up does nothing for a container whose process has ended, which it looks at
//     with the lock held, and poststop hooks come after that end: so a Down that
//     overtakes its Up, whose runtime was killed, leaves nothing behind.
//   - The last lease takes the bridge and the nftables table with it. What
//     somebody else has made is never used, and never changed.
//   - A thread of ours enters the container's network namespace to open a
//     netlink socket there, and does nothing else in it.
package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A Bridge is a network of containers, and what one of them wants of it.
type Bridge struct {
	Name    string       // the device on the host
	Subnet  netip.Prefix // of IPv4; its first address is the bridge's
	Subnet6 netip.Prefix // of IPv6, or none
	MTU     int          // in bytes; 0 is that of the device that the host's default route goes by
	Ports   []Port       // of the host, that lead to the container
	Leases  string       // the directory of the leases, absolute; of one bridge only
	Names
}

// Up connects a container, whose process must be there, with a network
// namespace of its own. If it is connected already, it is so anew, with the same
// address. After an error nothing of it is left.
func Up(state *specs.State, b *Bridge) (err error) {
	if err := checkID(state.ID); err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	ns, err := Hold(state.Pid)
	if err != nil {
		return advise(err)
	}
	defer ns.Close()
	s, err := openStore(b.Leases, true)
	if err != nil {
		return advise(err)
	}
	defer s.close()
	if err := ns.Alive(); err != nil {
		return errors.Join(err, s.leave())
	}
	if one := s.find(state.ID); one != nil && one.pid != state.Pid && one.alive() {
		return fmt.Errorf("there is a container %q already, of process %d: take another id, or another state root", one.ID, one.pid)
	}
	h, err := openHost()
	if err != nil {
		return errors.Join(err, s.leave())
	}
	defer h.close()
	u := &upping{host: h, store: s, Bridge: b, ns: ns, state: state}
	if err := u.all(); err != nil {
		b.Forget(state) // where that fails, the name was what failed
		return advise(err, h.release(s, b.Name, state.ID))
	}
	return nil
}

// Down takes back what Up made for a container. One that has nothing is no error.
// Of a container that has stopped, nothing is taken from one that has its id now:
// the id is free before poststop hooks are run.
func Down(state *specs.State, b *Bridge) error {
	if err := b.checkName(); err != nil {
		return err
	}
	s, err := openStore(b.Leases, false)
	if errors.Is(err, unix.ENOENT) {
		return b.Forget(state)
	}
	if err != nil {
		return advise(err)
	}
	defer s.close()
	if one := s.find(state.ID); one != nil && state.Pid == 0 && one.alive() {
		return nil
	}
	h, err := openHost()
	if err != nil {
		return err
	}
	defer h.close()
	return advise(h.release(s, b.Name, state.ID), b.Forget(state))
}

// advise joins errors, and tells who has no rights what to do.
func advise(errs ...error) error { return advice(errors.Join(errs...), os.Geteuid()) }

// advice is advise for a user. What the kernel refuses to root too, as in a user
// namespace, is EPERM; EACCES is then a file's, and says enough.
func advice(err error, uid int) error {
	if errors.Is(err, unix.EPERM) || uid != 0 && errors.Is(err, unix.EACCES) {
		return step(err, "a bridge takes the rights of the host's root: run minirt as root, or take the host's network, as deploy --net host does")
	}
	return err
}
