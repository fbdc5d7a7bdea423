// Package cni connects containers to the networks of the Container Network
// Interface (CNI spec 1.1): by the machine's own configurations and plugins, and
// by libcni, which is the interface's own library.
//
// Its laws:
//   - What is going to be made is written down before any plugin runs: the
//     whole configuration, as it is then. Down undoes by that, whatever has
//     become of the configuration's file, and of an Up that was killed.
//   - The network namespace is kept, by a mount in the same directory, until
//     Down: plugins need it to take back what they made on the host's side
//     (bridge forgets its masquerading otherwise), and a poststop hook comes
//     when the container's process, and with it the namespace, is gone.
//   - A failed Up calls the plugins' DEL and leaves no record; where DEL fails
//     too, as with a configuration that no plugin takes, the error tells of both.
package cni

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/containernetworking/cni/libcni"
	current "github.com/containernetworking/cni/pkg/types/100"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Options say which network a container is connected to, and how.
type Options struct {
	Name    string   // of the network; "" for the first configuration, by the names of the files
	Dir     string   // of the configurations; "" for /etc/cni/net.d
	Path    []string // directories of plugins; none for CNI_PATH, or where distributions have them
	Ports   []Port   // to be published, one by one
	Records string   // a directory for what Down must know, absolute, on a file system of this boot; made and removed when needed
}

// A Port is one element of the capability portMappings (CNI CONVENTIONS.md).
type Port struct {
	HostIP        string `json:"hostIP,omitempty"`
	HostPort      int    `json:"hostPort"`
	ContainerPort int    `json:"containerPort"`
	Protocol      string `json:"protocol"` // tcp or udp
}

// A Result is what the plugins told.
type Result struct {
	Addresses   []netip.Addr // of the container
	Nameservers []string     // as for resolv.conf(5), like the following
	Search      []string
	Options     []string
}

// device is the container's name for what connects it.
const device = "eth0"

// Up connects the container whose network namespace is the file netns, such as
// /proc/PID/ns/net. One that is connected already is connected anew.
func Up(ctx context.Context, state *specs.State, netns string, o Options) (*Result, error) {
	if err := checkID(state.ID); err != nil {
		return nil, err
	}
	ns, err := openNamespace(netns)
	if err != nil {
		return nil, fmt.Errorf("network namespace %q: %w", netns, err)
	}
	defer ns.Close()
	r, err := openRecords(o.Records, true)
	if err != nil {
		return nil, fmt.Errorf("records %q: %w", o.Records, err)
	}
	defer r.close()
	if err := r.disconnect(ctx, state.ID, o); err != nil {
		return nil, err
	}
	list, err := choose(o)
	if err != nil {
		return nil, err
	}
	result, err := r.connect(ctx, state.ID, ns, list, o)
	if err == nil {
		return result, nil
	}
	if undo := r.disconnect(ctx, state.ID, o); undo != nil {
		err = fmt.Errorf("%w; and taking it back: %w", err, undo)
	}
	return nil, errors.Join(err, r.remove(state.ID))
}

// Down takes back what Up made for a container. One that has nothing is no error.
func Down(ctx context.Context, state *specs.State, o Options) error {
	if checkID(state.ID) != nil {
		return nil // Up refused it
	}
	r, err := openRecords(o.Records, false)
	if errors.Is(err, errNone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("records %q: %w", o.Records, err)
	}
	defer r.close()
	return r.disconnect(ctx, state.ID, o)
}

// connect writes down what it is about to do, and has it done.
func (r *records) connect(ctx context.Context, id string, ns *namespace, list *libcni.NetworkConfigList, o Options) (*Result, error) {
	if err := r.write(id, list); err != nil {
		return nil, fmt.Errorf("record of %q: %w", id, err)
	}
	kept, err := r.keep(id, ns)
	if err != nil {
		return nil, fmt.Errorf("keep the network namespace of %q: %w", id, err)
	}
	added, err := r.library(o).AddNetworkList(ctx, list, attachment(id, kept, o))
	if err != nil {
		return nil, fmt.Errorf("network %q: %w", list.Name, err)
	}
	full, err := current.NewResultFromResult(added)
	if err != nil {
		return nil, fmt.Errorf("network %q: result: %w", list.Name, err)
	}
	return resultOf(full), nil
}

// patience is how long plugins may take to undo what others have broken off.
const patience = 30 * time.Second

// disconnect undoes what the record of a container tells of, if there is one. It
// does so even when the caller's time is over; but not for ever.
func (r *records) disconnect(ctx context.Context, id string, o Options) error {
	list, err := r.read(id)
	if err != nil {
		return fmt.Errorf("record of %q: %w", id, err)
	}
	if list == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := r.library(o).DelNetworkList(ctx, list, attachment(id, r.kept(id), o)); err != nil {
		return fmt.Errorf("network %q: %w", list.Name, err)
	}
	return r.remove(id)
}

func (r *records) library(o Options) *libcni.CNIConfig {
	return libcni.NewCNIConfigWithCacheDir(o.path(), r.path, newPlugins())
}

// attachment is what all plugins are told of a container.
func attachment(id, netns string, o Options) *libcni.RuntimeConf {
	rt := &libcni.RuntimeConf{ContainerID: id, NetNS: netns, IfName: device}
	if len(o.Ports) > 0 {
		rt.CapabilityArgs = map[string]any{portMappings: o.Ports}
	}
	return rt
}

func resultOf(r *current.Result) *Result {
	result := &Result{Nameservers: r.DNS.Nameservers, Search: r.DNS.Search, Options: r.DNS.Options}
	if len(result.Search) == 0 && r.DNS.Domain != "" {
		result.Search = []string{r.DNS.Domain}
	}
	for _, ip := range r.IPs {
		if a, ok := netip.AddrFromSlice(ip.Address.IP); ok && !slices.Contains(result.Addresses, a.Unmap()) {
			result.Addresses = append(result.Addresses, a.Unmap())
		}
	}
	return result
}

// checkID refuses what CNI has no name for: plugins make names of chains and files of it.
func checkID(id string) error {
	for i, r := range id {
		switch {
		case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9':
		case i > 0 && (r == '_' || r == '.' || r == '-'):
		default:
			return fmt.Errorf("container id %q: CNI takes letters, digits, and behind the first also \"_\", \".\" and \"-\"", id)
		}
	}
	if id == "" {
		return errors.New("the state on standard input names no container")
	}
	return nil
}
