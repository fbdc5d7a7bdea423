package main

import (
	"runtime"
	"runtime/debug"

	"github.com/minirt/minirt/lifecycle"
)

// version and revision are set by the linker for a release (hack/release).
var (
	version  = "0.1.0-dev"
	revision = ""
)

// versionText is what --version prints. Engines read line 1, "commit:" and "spec:".
func versionText() string {
	return "minirt version " + version +
		"\ncommit: " + commit() +
		"\nspec: " + lifecycle.Version +
		"\ngo: " + runtime.Version() + "\n"
}

// commit is the revision that the program was built from, as the go command noted it.
func commit() string {
	if revision != "" {
		return revision
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "unknown"
}
