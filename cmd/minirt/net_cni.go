package main

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/internal/network"
	"github.com/minirt/minirt/internal/network/cni"
)

// upCNI connects a container by CNI plugins. One that has ended meanwhile is
// disconnected: its Down may have been before.
func (f *connectFlags) upCNI(s *specs.State, root string) error {
	o, err := f.cniOptions(root)
	if err != nil {
		return err
	}
	ns, err := network.Hold(s.Pid)
	if err != nil {
		return err
	}
	defer ns.Close()
	result, err := cni.Up(context.Background(), s, ns.Path(), o)
	if err != nil {
		return err
	}
	err = ns.Alive()
	if err == nil {
		err = f.names().Write(s, result.Addresses, resolvConf(result))
	}
	if err != nil {
		return errors.Join(err, f.downCNI(s, root))
	}
	return nil
}

func (f *connectFlags) downCNI(s *specs.State, root string) error {
	o, err := f.cniOptions(root)
	if err != nil {
		return err
	}
	return errors.Join(cni.Down(context.Background(), s, o), f.names().Forget(s))
}

// cniOptions is what the flags say. A container's id has no colon: so the
// directory of the records is nobody's.
func (f *connectFlags) cniOptions(root string) (cni.Options, error) {
	ports, err := portsOf(f.Publish)
	o := cni.Options{Name: f.Name, Records: filepath.Join(root, "cni:records")}
	for _, p := range ports {
		for i := range int(p.Count) {
			one := cni.Port{HostPort: int(p.Host) + i, ContainerPort: int(p.Container) + i, Protocol: p.Protocol}
			if p.IP.IsValid() {
				one.HostIP = p.IP.String()
			}
			o.Ports = append(o.Ports, one)
		}
	}
	return o, err
}

// resolvConf is what plugins told of name servers, as resolv.conf(5); "" if nothing.
func resolvConf(r *cni.Result) string {
	servers := slices.DeleteFunc(slices.Clone(r.Nameservers), func(s string) bool { _, err := netip.ParseAddr(s); return err != nil })
	if len(servers) == 0 {
		return ""
	}
	var text strings.Builder
	for _, s := range servers {
		text.WriteString("nameserver " + s + "\n")
	}
	if len(r.Search) > 0 {
		text.WriteString("search " + strings.Join(r.Search, " ") + "\n")
	}
	if len(r.Options) > 0 {
		text.WriteString("options " + strings.Join(r.Options, " ") + "\n")
	}
	return text.String()
}
