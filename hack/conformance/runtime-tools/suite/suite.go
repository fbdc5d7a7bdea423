//go:build tools

// Package suite pins the validation programs of opencontainers/runtime-tools, in
// a module of their own: their libraries are as old as they are.
package suite

import (
	_ "github.com/opencontainers/runtime-tools/cmd/runtimetest"
	_ "github.com/opencontainers/runtime-tools/validation/util"
)
