package advice

import (
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// directories are rows of process.cwd.
var directories = []row{
	{"cwd-is-file", "process.cwd names a file",
		"set process.cwd to a directory, such as {text}", func(f *Failure, h Facts) []string {
			if f.Path == "process.cwd" && f.Errno == unix.ENOTDIR {
				return say(strconv.Quote(path.Dir(f.cwd())))
			}
			return nil
		}},
	{"cwd-closed", "neither the container's root nor process.user may enter process.cwd",
		"use chmod o+x {}, or set process.cwd to another directory", func(f *Failure, h Facts) []string {
			if f.Path != "process.cwd" || f.Errno != unix.EACCES {
				return nil
			}
			return only(target(f, h, f.cwd()).host)
		}},
}

// bundles are rows of the bundle, its config.json and its root.
var bundles = []row{
	{"bundle-missing", "the bundle's directory is not there",
		"minirt deploy {} PROGRAM makes a bundle there", func(f *Failure, h Facts) []string {
			if f.Bundle != "" && f.Rootfs == "" && f.Spec == nil && f.Kind == Other && f.Errno == unix.ENOENT {
				return say(f.Bundle)
			}
			return nil
		}},
	{"config-of-parent", "--bundle names the root file system in a bundle, and not the bundle",
		"the bundle is {}: use --bundle {}", func(f *Failure, h Facts) []string {
			if dir := path.Dir(f.Bundle); f.Kind == NoConfig && isFile(h, dir+"/config.json") {
				return say(dir, dir)
			}
			return nil
		}},
	{"config-below", "--bundle names a directory that holds a bundle",
		"there is a bundle in it: use --bundle {}", func(f *Failure, h Facts) []string {
			if f.Kind != NoConfig {
				return nil
			}
			found := ""
			for _, name := range h.Names(f.Bundle) {
				if dir := path.Join(f.Bundle, name); isFile(h, dir+"/config.json") {
					if found != "" {
						return nil
					}
					found = dir
				}
			}
			return only(found)
		}},
	{"bundle-is-image", "--bundle names an image layout (OCI image-spec), and not a bundle",
		"it is an image: minirt deploy BUNDLE oci:{} makes a bundle of it", func(f *Failure, h Facts) []string {
			if f.Kind == NoConfig && isFile(h, f.Bundle+"/oci-layout") {
				return say(f.Bundle)
			}
			return nil
		}},
	{"bundle-is-root", "--bundle names a root file system without a bundle around it",
		"it is a root file system: move it to BUNDLE/rootfs, and use minirt spec --bundle BUNDLE", func(f *Failure, h Facts) []string {
			if f.Kind == NoConfig && isDir(h, f.Bundle+"/bin") && (isDir(h, f.Bundle+"/etc") || isDir(h, f.Bundle+"/usr")) {
				return say()
			}
			return nil
		}},
	{"config-missing", "the bundle has no config.json",
		"minirt spec --bundle {} makes one", func(f *Failure, h Facts) []string {
			if f.Kind == NoConfig {
				return say(f.Bundle)
			}
			return nil
		}},
	{"config-of-image", "config.json is the configuration of an image, or its manifest, and not that of a container",
		"{} belongs to an image: minirt deploy BUNDLE oci:DIR makes a bundle of an image layout", func(f *Failure, h Facts) []string {
			return f.foreign(h, `"diff_ids"`, `"application/vnd.oci.image.`, `"application/vnd.docker.distribution.`)
		}},
	{"config-of-docker-inspect", "config.json is what docker inspect or podman inspect says of a container",
		"{} is what an engine's inspect says: minirt spec makes a config.json", func(f *Failure, h Facts) []string {
			return f.foreign(h, `"HostConfig"`)
		}},
	{"config-of-docker", "config.json is the settings file of the docker command",
		"{} holds docker's own settings: minirt spec makes a config.json for a container", func(f *Failure, h Facts) []string {
			return f.foreign(h, `"auths"`, `"credsStore"`, `"HttpHeaders"`)
		}},
	{"root-is-archive", "root.path names a file, such as an archive",
		"unpack it: mkdir {}/rootfs, tar -C {}/rootfs -xf {}, and set root.path to \"rootfs\"", func(f *Failure, h Facts) []string {
			if f.Path == "root.path" && f.Errno == unix.ENOTDIR && isFile(h, f.Rootfs) {
				return say(f.Bundle, f.Bundle, f.Rootfs)
			}
			return nil
		}},
	{"root-elsewhere", "root.path names nothing, but the bundle has a directory rootfs",
		"set root.path to \"rootfs\"", func(f *Failure, h Facts) []string {
			if f.Path == "root.path" && f.Errno == unix.ENOENT && isDir(h, f.Bundle+"/rootfs") {
				return say()
			}
			return nil
		}},
	{"root-missing", "root.path names nothing",
		"make {} and fill it, or set root.path; minirt deploy makes whole bundles", func(f *Failure, h Facts) []string {
			if f.Path == "root.path" && f.Errno == unix.ENOENT {
				return say(f.Rootfs)
			}
			return nil
		}},
	{"root-closed", "the root of a user namespace may not enter a directory on the way to the root file system",
		"the container's root may not enter {}: use chmod o+x {}, or put the bundle elsewhere", func(f *Failure, h Facts) []string {
			if f.Path != "root.path" || f.Errno != unix.EACCES {
				return nil
			}
			if dir := barred(h, f.Rootfs); dir != "" {
				return say(dir, dir)
			}
			return nil
		}},
	{"root-not-own", "mount points are missing in a root file system that the caller may not write to",
		"{} belongs to user {}: make the directory {} in it with his rights, or use chown", func(f *Failure, h Facts) []string {
			if f.File == "" || f.Flag != "" || f.Errno != unix.EACCES {
				return nil
			}
			if r := h.Look("/", f.Rootfs); r.Mode != 0 && int(r.UID) != h.UID() {
				return say(f.Rootfs, number(r.UID), strings.TrimPrefix(f.File, "/"))
			}
			return nil
		}},
	{"root-read-only", "mount points are missing in a root file system that can't be written to",
		"make {} where the file system can be written to; it is mounted read-only on {}", func(f *Failure, h Facts) []string {
			if f.File != "" && f.Flag == "" && f.Errno == unix.EROFS && f.Rootfs != "" {
				return say(f.Rootfs+f.File, mountOf(h, f.Rootfs).point)
			}
			return nil
		}},
}

// barred is the first directory on the way to a path of the host that not everybody may enter.
func barred(h Facts, name string) string {
	for i := 1; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			continue
		}
		if p := h.Look("/", name[:i]); p.Mode&unix.S_IFMT == unix.S_IFDIR && p.Mode&0o001 == 0 {
			return name[:i]
		}
	}
	return ""
}

// foreign tells whether the bundle's config.json, which has faults, is something
// else: it says one of these words.
func (f *Failure) foreign(h Facts, words ...string) []string {
	if f.Kind != BadConfig || f.Spec != nil || f.Bundle == "" {
		return nil
	}
	name := path.Join(f.Bundle, "config.json")
	text := h.Read(name)
	for _, w := range words {
		if strings.Contains(text, w) && !strings.Contains(text, `"ociVersion"`) {
			return say(name)
		}
	}
	return nil
}

// only gives a value, if it isn't empty.
func only(value string) []string {
	if value == "" {
		return nil
	}
	return say(value)
}

func isFile(h Facts, name string) bool { return h.Look("/", name).Mode&unix.S_IFMT == unix.S_IFREG }

func isDir(h Facts, name string) bool { return h.Look("/", name).Mode&unix.S_IFMT == unix.S_IFDIR }
