package main

import (
	"github.com/minirt/minirt/internal/systemd"
	"github.com/minirt/minirt/lifecycle"
)

// drivers are those that this program links.
func drivers() lifecycle.Drivers { return lifecycle.Drivers{Systemd: new(systemd.Driver)} }
