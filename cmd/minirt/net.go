package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/internal/network"
	"github.com/minirt/minirt/lifecycle"
)

// connectFlags are what the hooks that deploy writes are called with.
type connectFlags struct {
	Bridge   string   `name:"bridge" placeholder:"NAME" default:"minirt0" help:"The device of the host that the containers are connected to; it is made if there is none."`
	Subnet   string   `name:"subnet" placeholder:"SUBNET" default:"10.177.80.0/22" help:"What their addresses are of."`
	Subnet6  string   `name:"subnet6" placeholder:"SUBNET" help:"The same for IPv6, such as fd6d:696e:6972::/64. Without it there is none."`
	MTU      int      `name:"mtu" placeholder:"BYTES" help:"The longest packet. Without it: that of the device which the host's default route goes by."`
	Publish  []string `name:"publish" short:"p" placeholder:"PORTS" help:"A port of the host that leads to one of the container: [IP:]HOST:CONTAINER[/udp], both perhaps rows like 8000-8010. May be given again."`
	Hosts    string   `name:"hosts" placeholder:"FILE" help:"A file of the bundle that gets a line with the container's addresses and names."`
	Resolv   string   `name:"resolv" placeholder:"FILE" help:"A file of the bundle that gets the host's name servers."`
	Hostname string   `name:"hostname" placeholder:"NAME" help:"A name for the line of --hosts, beside the container's id."`
	Name     string   `name:"name" placeholder:"NETWORK" help:"With cni: the network, of those in /etc/cni/net.d. Without it: the first."`
	Action   string   `arg:"" name:"ACTION" enum:"up,down" help:"Whether to connect the container, or to take that back."`
	Kind     string   `arg:"" name:"KIND" enum:"bridge,cni" help:"How: by a bridge of minirt's own, or by the machine's CNI configuration and plugins."`
}

func (*connectFlags) Help() string {
	return `Connects a container to a network. It is a program for hooks, which reads the container's state on standard input: "up" for createRuntime, "down" for poststop, both with the same flags. "minirt deploy --net bridge" writes such hooks.

The container gets a device eth0 with an address of the subnet, which is its own until "down"; a default route; and, by nftables, a way to the world under the host's address. Ports that are published lead to it from every network of the host and from the host itself.

The addresses that are taken are kept below the state root, in a file that may be read. The bridge and all the rest go with the last container.`
}

func (*connectFlags) Example() string {
	return `minirt deploy --net bridge -p 8080:80 web /usr/sbin/httpd -f
minirt state web | minirt net up bridge -p 8080:80
minirt state web | minirt net down bridge`
}

func (f *connectFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	s, err := stateOnStdin()
	if err != nil {
		return 0, &lifecycle.Error{Verb: "net", Err: err}
	}
	if err = f.connect(s, r.Root); err != nil {
		err = &lifecycle.Error{Verb: "net", ID: s.ID, Err: err}
	}
	return 0, err
}

func (f *connectFlags) connect(s *specs.State, root string) error {
	if f.Kind == "cni" {
		if f.Action == "up" {
			return f.upCNI(s, root)
		}
		return f.downCNI(s, root)
	}
	b, err := f.bridge(root)
	if err != nil {
		return err
	}
	if f.Action == "up" {
		return network.Up(s, b)
	}
	return network.Down(s, b)
}

// bridge is what the flags say. A container's id has no colon: so the
// directory of the leases is nobody's.
func (f *connectFlags) bridge(root string) (b *network.Bridge, err error) {
	b = &network.Bridge{Name: f.Bridge, MTU: f.MTU, Names: f.names(), Leases: filepath.Join(root, "net:"+f.Bridge)}
	if b.Subnet, err = netip.ParsePrefix(f.Subnet); err != nil {
		return nil, usageError("--subnet " + quote(f.Subnet) + " is no subnet, such as 10.177.80.0/22")
	}
	if f.Subnet6 != "" {
		if b.Subnet6, err = netip.ParsePrefix(f.Subnet6); err != nil {
			return nil, usageError("--subnet6 " + quote(f.Subnet6) + " is no subnet, such as fd6d:696e:6972::/64")
		}
	}
	b.Ports, err = portsOf(f.Publish)
	return b, err
}

func (f *connectFlags) names() network.Names {
	return network.Names{Hosts: f.Hosts, Resolv: f.Resolv, Host: f.Hostname}
}

func portsOf(texts []string) (ports []network.Port, err error) {
	for _, text := range texts {
		p, err := network.ParsePort(text)
		if err != nil {
			return nil, usageError("--publish " + err.Error())
		}
		ports = append(ports, p)
	}
	return ports, nil
}

// stateOnStdin reads a container's state (runtime.md, State), as hooks get it.
func stateOnStdin() (*specs.State, error) {
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		return nil, usageError("the state of a container is read on standard input: see minirt net --help")
	}
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(os.Stdin, most))
	if err != nil {
		return nil, err
	}
	var s specs.State
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, errors.New("standard input holds no state of a container: " + err.Error())
	}
	return &s, nil
}
