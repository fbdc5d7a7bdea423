// Command spy is what a hostile container runs while others are executed in
// it: it looks at every process of its pid namespace, over and over, for a way
// to the host, and writes what it finds to /found. Its arguments are a path
// that only the host has, and the number of rounds after which it says so in
// /rounds, each time.
package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	canary := os.Args[1]
	found, _ := os.OpenFile("/found", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	seen := map[string]bool{}
	self := strconv.Itoa(os.Getpid())
	tell := func(text string) {
		if !seen[text] {
			seen[text] = true
			found.WriteString(text + "\n")
		}
	}
	strangers := map[string]bool{}
	for n := 0; ; n++ {
		for _, pid := range names("/proc") {
			if pid[0] < '0' || pid[0] > '9' || pid == self {
				continue
			}
			strangers[pid] = true
			look("/proc/"+pid, canary, tell)
		}
		if n%64 == 0 {
			os.WriteFile("/rounds", []byte(strconv.Itoa(n)+" "+strconv.Itoa(len(strangers))), 0o644)
		}
	}
}

func look(proc, canary string, tell func(string)) {
	links := []string{"root", "cwd", "exe"}
	for _, fd := range names(proc + "/fd") {
		links = append(links, "fd/"+fd)
	}
	for _, l := range links {
		target, err := os.Readlink(proc + "/" + l)
		if err != nil {
			continue
		}
		for _, way := range []string{canary, "/config.json", "/cgroup.procs", "/../../../../../.." + canary} {
			if syscall.Access(proc+"/"+l+way, 0) == nil {
				tell(l + " -> " + target + " leads to " + way)
			}
		}
		if !harmless(l, target) {
			tell(l + " -> " + target)
		}
	}
}

// harmless are the links that a process of the container's may have.
func harmless(link, target string) bool {
	switch link {
	case "root":
		return target == "/"
	case "cwd":
		return target == "/"
	case "exe":
		return target == "/memfd:minirt (deleted)" || target == "/bin/busybox" || target == "/spy"
	}
	switch target {
	case "/dev/null", "/", "/found", "/rounds": // "/" is the container's own, or it leads to what only the host has
		return true
	}
	for _, kind := range []string{"/memfd:output", "socket:", "anon_inode:", "/proc"} {
		if strings.HasPrefix(target, kind) {
			return true
		}
	}
	return false
}

// names lists a directory.
func names(dir string) []string {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	list, _ := f.Readdirnames(-1)
	return list
}
