package cni

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/invoke"
)

const (
	defaultDir   = "/etc/cni/net.d"
	portMappings = "portMappings"
)

// path are the directories in which plugins are looked for.
func (o *Options) path() []string {
	if len(o.Path) > 0 {
		return o.Path
	}
	if s := os.Getenv("CNI_PATH"); s != "" {
		return filepath.SplitList(s)
	}
	return []string{"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"}
}

// choose reads the configuration of the network that is named, or else the first
// one, by the names of the files, as engines do. Here one that can't be read is
// an error, unless another is named: nobody would know why his network isn't
// the one that he wrote.
func choose(o Options) (*libcni.NetworkConfigList, error) {
	dir := o.Dir
	if dir == "" {
		dir = defaultDir
	}
	files, err := libcni.ConfFiles(dir, []string{".conf", ".conflist", ".json"})
	if err != nil {
		return nil, fmt.Errorf("CNI configurations: %w", err)
	}
	slices.Sort(files)
	var names []string
	var faults error
	for _, file := range files {
		list, err := load(file)
		if err != nil {
			err = fmt.Errorf("CNI configuration %q: %w", file, err)
			if o.Name == "" {
				return nil, err
			}
			faults = errors.Join(faults, err)
			continue
		}
		if o.Name == "" || list.Name == o.Name {
			return list, cmp.Or(publishes(list, o), installed(list, o))
		}
		names = append(names, strconv.Quote(list.Name))
	}
	switch {
	case faults != nil:
		return nil, fmt.Errorf("no CNI network %q that can be read: %w", o.Name, faults)
	case len(files) == 0:
		return nil, fmt.Errorf("no CNI configuration in %q", dir)
	}
	return nil, fmt.Errorf("no CNI network %q in %q: there is %s", o.Name, dir, strings.Join(names, ", "))
}

// load reads a list, or one plugin alone as a list of one.
func load(file string) (*libcni.NetworkConfigList, error) {
	if filepath.Ext(file) == ".conflist" {
		list, err := libcni.NetworkConfFromFile(file)
		return list, bare(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, bare(err)
	}
	one, err := libcni.NetworkPluginConfFromBytes(text)
	if err != nil {
		return nil, err
	}
	return libcni.ConfListFromConf(one)
}

// bare takes the path off an error, which is told already.
func bare(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// publishes refuses ports that no plugin would hear of.
func publishes(list *libcni.NetworkConfigList, o Options) error {
	if len(o.Ports) == 0 {
		return nil
	}
	for _, p := range list.Plugins {
		if p.Network.Capabilities[portMappings] {
			return nil
		}
	}
	return fmt.Errorf("network %q can't publish ports: none of its plugins has the capability %q", list.Name, portMappings)
}

// installed refuses a network some of whose plugins aren't there, before any of
// them makes what that one couldn't take back.
func installed(list *libcni.NetworkConfigList, o Options) error {
	for _, p := range list.Plugins {
		for _, name := range []string{p.Network.Type, p.Network.IPAM.Type} {
			if name == "" {
				continue
			}
			if _, err := invoke.FindInPath(name, o.path()); err != nil {
				return fmt.Errorf("network %q: no plugin %q in %s", list.Name, name, strings.Join(o.path(), ", "))
			}
		}
	}
	return nil
}
