package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/lifecycle"
)

// netFlags are what deploy is told of the container's network.
type netFlags struct {
	Net     string   `name:"net" placeholder:"KIND" default:"none" help:"The network: none, bridge, host (the host's own), cni (the first of /etc/cni/net.d) or cni:NAME."`
	Publish []string `name:"publish" short:"p" placeholder:"PORTS" help:"With --net bridge or cni: a port of the host that leads to one of the container, [IP:]HOST:CONTAINER[/udp], both perhaps rows like 8000-8010. May be given again."`
}

// Files of the bundle that its containers see as /etc/hosts and /etc/resolv.conf.
const (
	hostsFile  = "hosts"
	resolvFile = "resolv.conf"
)

// ownHosts are the names that each container has without the hook's doing.
const ownHosts = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"

// subnet6 is a unique local one (RFC 4193), whose 40 bits are the letters "minir".
const subnet6 = "fd6d:696e:6972::/64"

// write makes the spec of a bundle ask for the network. root is the state root
// that minirt was given, where the hooks are to keep what they know.
func (n *netFlags) write(s *specs.Spec, bundle, root string) error {
	if err := n.check(s); err != nil {
		return err
	}
	kind, name, _ := strings.Cut(n.Net, ":")
	switch kind {
	case "host":
		leaveNetwork(s)
		lend(s, "/etc/hosts", "/etc/hosts")
		lend(s, "/etc/resolv.conf", "/etc/resolv.conf")
	case "bridge":
		flags := []string{"--bridge=minirt0", "--subnet=10.177.80.0/22"}
		if _, err := os.Stat("/proc/sys/net/ipv6"); err == nil {
			flags = append(flags, "--subnet6="+subnet6)
			ignoreRouters(s)
		}
		return n.hook(s, root, kind, flags)
	case "cni":
		var flags []string
		if name != "" {
			flags = []string{"--name=" + name}
		}
		return n.hook(s, root, kind, flags)
	}
	return nil
}

// check refuses flags that are no network, or none for this spec.
func (n *netFlags) check(s *specs.Spec) error {
	kind, name, named := strings.Cut(n.Net, ":")
	switch {
	case !slices.Contains([]string{"none", "host", "bridge", "cni"}, kind) || named && (kind != "cni" || name == ""):
		return usageError("--net " + quote(n.Net) + " is none of none, bridge, host, cni and cni:NAME")
	case (kind == "none" || kind == "host") && len(n.Publish) > 0:
		return usageError("--publish is for --net bridge and --net cni")
	case (kind == "bridge" || kind == "cni") && !slices.ContainsFunc(s.Linux.Namespaces, isNetwork):
		return errors.New("--net " + n.Net + " takes the rights of the host's root, now and when the bundle is run: do both as root, or take the host's network by --net host")
	}
	_, err := portsOf(n.Publish)
	return err
}

// hook adds the hooks that connect the container, and the files that it finds names in.
func (n *netFlags) hook(s *specs.Spec, root, kind string, flags []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"minirt"}
	if root != lifecycle.DefaultRoot() { // the hook's environment is empty
		args = append(args, "--root", root)
	}
	for _, p := range n.Publish {
		flags = append(flags, "--publish="+p)
	}
	flags = append(flags, "--hosts="+hostsFile, "--resolv="+resolvFile)
	if s.Hostname != "" {
		flags = append(flags, "--hostname="+s.Hostname)
	}
	hook := func(action string) specs.Hook {
		return specs.Hook{Path: self, Args: slices.Concat(args, []string{"net", action, kind}, flags)}
	}
	if s.Hooks == nil {
		s.Hooks = new(specs.Hooks)
	}
	s.Hooks.CreateRuntime = append(s.Hooks.CreateRuntime, hook("up"))
	s.Hooks.Poststop = append(s.Hooks.Poststop, hook("down"))
	lend(s, "/etc/hosts", hostsFile)
	lend(s, "/etc/resolv.conf", resolvFile)
	return nil
}

// lay makes the files of the bundle that write's mounts name.
func (n *netFlags) lay(bundle string) error {
	if n.Net == "none" || n.Net == "host" {
		return nil
	}
	for name, text := range map[string]string{hostsFile: ownHosts, resolvFile: ""} {
		if err := layFile(filepath.Join(bundle, name), text); err != nil {
			return err
		}
	}
	return nil
}

// layFile makes a file that everybody may read, whatever the umask says.
func layFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Chmod(0o644), f.Close())
}

func isNetwork(n specs.LinuxNamespace) bool { return n.Type == specs.NetworkNamespace }

// leaveNetwork leaves the container in the network namespace of the host.
func leaveNetwork(s *specs.Spec) {
	s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, isNetwork)
}

// lend lets the container read a file of the host or the bundle, unless it has
// something there already, or there is none.
func lend(s *specs.Spec, destination, source string) {
	if slices.ContainsFunc(s.Mounts, func(m specs.Mount) bool { return m.Destination == destination }) {
		return
	}
	if _, err := os.Stat(source); filepath.IsAbs(source) && err != nil {
		return
	}
	s.Mounts = append(s.Mounts, specs.Mount{Destination: destination, Source: source, Type: "bind",
		Options: []string{"bind", "ro", "nosuid", "nodev", "noexec"}})
}

// ignoreRouters keeps other containers of the bridge from telling this one its
// routes. The device is the hook's, which comes before.
func ignoreRouters(s *specs.Spec) {
	if s.Linux.Sysctl == nil {
		s.Linux.Sysctl = map[string]string{}
	}
	s.Linux.Sysctl["net.ipv6.conf.eth0.accept_ra"] = "0"
}
