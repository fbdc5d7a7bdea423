package main

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/bundles"
)

// contentFlags are what deploy is told to put into the root file system beside the program.
type contentFlags struct {
	With []string `name:"with" placeholder:"PROGRAMS" help:"Further programs, scripts or shared libraries, with all that they need: names and paths, with commas between them. May be given again."`
	Copy []string `name:"copy" placeholder:"SOURCE[:PATH[:OPTIONS]]" help:"A file or a directory, to the same path or to PATH; into PATH, if that ends with a slash. OPTIONS: uid=N, gid=N, mode=OCTAL, and keep (owners and setuid bits as they are here; otherwise all is root's). May be given again."`
	Data []string `name:"data" placeholder:"NAMES" help:"Files that many programs need, with commas between them: certs, locale, nss (for users, hosts and services), terminfo, zone (this machine's time zone), zones (all). May be given again."`
}

// contents reads the flags.
func (f *contentFlags) contents() (c bundles.Contents, err error) {
	c = bundles.Contents{With: commas(f.With), Data: commas(f.Data)}
	for _, s := range f.Copy {
		copy, err := copyOf(s)
		if err != nil {
			return c, err
		}
		c.Copies = append(c.Copies, copy)
	}
	return c, nil
}

// commas splits each word at its commas.
func commas(words []string) (list []string) {
	for _, w := range words {
		list = append(list, strings.Split(w, ",")...)
	}
	return list
}

// copyOf reads SOURCE[:PATH[:OPTIONS]].
func copyOf(s string) (c bundles.Copy, err error) {
	source, rest, _ := strings.Cut(s, ":")
	target, options, given := strings.Cut(rest, ":")
	c = bundles.Copy{Source: source, Target: target}
	if !given {
		return c, nil
	}
	for o := range strings.SplitSeq(options, ",") {
		if !setOption(&c, o) {
			return c, usageError("--copy " + quote(s) + ": " + quote(o) + " is none of uid=N, gid=N, mode=OCTAL, keep")
		}
	}
	return c, nil
}

// setOption reads one of --copy's options.
func setOption(c *bundles.Copy, o string) (ok bool) {
	name, value, _ := strings.Cut(o, "=")
	base := 10
	if name == "mode" {
		base = 8
	}
	n, err := strconv.ParseUint(value, base, 31)
	switch name {
	case "uid":
		c.UID = new(int(n))
	case "gid":
		c.GID = new(int(n))
	case "mode":
		c.Mode = new(uint32(n))
		return err == nil && n <= 0o7777
	case "keep":
		c.Keep = true
		return o == name
	default:
		return false
	}
	return err == nil
}
