package cni

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/containernetworking/cni/pkg/invoke"
)

// plugins runs the plugins as libcni does by itself, but with a PATH: a hook's
// environment is empty unless config.json says otherwise (SEC-47), and plugins
// look for iptables.
type plugins struct{ invoke.DefaultExec }

func newPlugins() *plugins {
	return &plugins{invoke.DefaultExec{RawExec: &invoke.RawExec{Stderr: os.Stderr}}}
}

// ExecPlugin runs one plugin to its end.
func (p *plugins) ExecPlugin(ctx context.Context, plugin string, stdin []byte, environ []string) ([]byte, error) {
	if !slices.ContainsFunc(environ, func(e string) bool { return strings.HasPrefix(e, "PATH=") }) {
		environ = append(slices.Clone(environ), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	}
	return p.DefaultExec.ExecPlugin(ctx, plugin, stdin, environ)
}
