package main

import "github.com/minirt/minirt/cmd/minirt/hot"

// What the hot verbs share with others stands in package hot.
type (
	globals     = hot.Globals
	container   = hot.Container
	bundleFlags = hot.Bundling
	usageError  = hot.UsageError
)
