package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A span is a run of system call numbers that begins at base.
type span struct {
	base  uint32
	calls map[string]uint32 // name → number
}

// A table is one variable of the generated file.
type table struct {
	name  string // of the variable, after the libseccomp word of the architecture
	doc   string
	files []string // the x/sys files that must all say the same, or a file in headers
	spans func(map[string]uint32) []span
}

var tables = []table{
	{"callsX86", "i386", []string{"386"}, plain(0)},
	{"callsX86_64", "x86-64", []string{"amd64"}, plain(0)},
	{"callsX32", "x86-64's x32 ABI", []string{"amd64"}, x32},
	{"callsARM", "ARM EABI", []string{"arm"}, arm},
	{"callsAARCH64", "arm64", []string{"arm64"}, plain(0)},
	{"callsMIPS", "MIPS O32", []string{"mips", "mipsle"}, plain(4000)},
	{"callsMIPS64", "MIPS N64", []string{"mips64", "mips64le"}, plain(5000)},
	{"callsMIPS64N32", "MIPS N32", []string{"mipsn32.txt"}, plain(6000)},
	{"callsPPC", "PowerPC", []string{"ppc"}, plain(0)},
	{"callsPPC64", "PowerPC, 64 bit", []string{"ppc64", "ppc64le"}, plain(0)},
	{"callsS390", "s390's 31 bits", []string{"s390.txt"}, plain(0)},
	{"callsS390X", "s390x", []string{"s390x"}, plain(0)},
	{"callsPARISC", "PA-RISC", []string{"parisc.txt"}, plain(0)},
	{"callsPARISC64", "PA-RISC, 64 bit", []string{"parisc64.txt"}, plain(0)},
	{"callsRISCV64", "RISC-V, 64 bit", []string{"riscv64"}, plain(0)},
	{"callsLOONGARCH64", "LoongArch, 64 bit", []string{"loong64"}, plain(0)},
	{"callsM68K", "m68k", []string{"m68k.txt"}, plain(0)},
	{"callsSH", "SuperH", []string{"sh.txt"}, plain(0)},
}

func plain(base uint32) func(map[string]uint32) []span {
	return func(calls map[string]uint32) []span { return []span{{base, calls}} }
}

// x32 makes the x32 table from that of x86-64.
func x32(amd64 map[string]uint32) []span {
	common := map[string]uint32{}
	for name, nr := range amd64 {
		if !slices.Contains(x32Own, name) && !slices.Contains(only64, name) {
			common[name] = x32Bit + nr
		}
	}
	return []span{{x32Bit, common}, {x32OwnBase, numbered(x32Own, x32OwnBase)}}
}

func arm(calls map[string]uint32) []span {
	return []span{{0, calls}, {armPrivateBase, numbered(armPrivate, armPrivateBase)}}
}

func numbered(names []string, base uint32) map[string]uint32 {
	calls := map[string]uint32{}
	for i, name := range names {
		calls[name] = base + uint32(i)
	}
	return calls
}

// sysDir gives the directory of golang.org/x/sys in the module cache.
func sysDir() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		return "", fmt.Errorf("go list golang.org/x/sys: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// generate gives the Go source of the tables, made from the module in dir.
func generate(dir string) ([]byte, error) {
	spans := make([][]span, len(tables))
	known := map[string]bool{}
	for i, t := range tables {
		calls, err := t.read(dir)
		if err != nil {
			return nil, err
		}
		spans[i] = t.spans(calls)
		for _, s := range spans[i] {
			for name := range s.calls {
				known[name] = true
			}
		}
	}
	names := slices.Sorted(maps.Keys(known))
	kernel, err := kernelOf(dir)
	if err != nil {
		return nil, err
	}
	return format.Source(source(kernel, names, spans))
}

var branch = regexp.MustCompile(`git clone --branch v(\S+) .*/torvalds/linux`)

// kernelOf gives the version of the kernel whose headers x/sys was made from.
func kernelOf(dir string) (string, error) {
	recipe, err := os.ReadFile(filepath.Join(dir, "unix", "linux", "Dockerfile"))
	if err != nil {
		return "", err
	}
	m := branch.FindSubmatch(recipe)
	if m == nil {
		return "", errors.New("golang.org/x/sys: unix/linux/Dockerfile names no version of the kernel")
	}
	return string(m[1]), nil
}

var (
	constant = regexp.MustCompile(`(?m)^\tSYS_(\w+)\s*= (\d+)$`)
	// notCalls are names of x/sys that no kernel dispatches: holes, and marks of the headers.
	notCalls = regexp.MustCompile(`^(unused\d+|reserved\d+|syscall_mask|arch_specific_syscall)$`)
)

// read reads the table's source.
func (t *table) read(dir string) (map[string]uint32, error) {
	if strings.HasSuffix(t.files[0], ".txt") {
		return readHeader(dir, t.files[0], t.spans(nil)[0].base)
	}
	return readAll(dir, t.files)
}

// readAll reads the files of the GOARCH words, which must agree.
func readAll(dir string, archs []string) (map[string]uint32, error) {
	var all map[string]uint32
	for _, arch := range archs {
		calls, err := read(filepath.Join(dir, "unix", "zsysnum_linux_"+arch+".go"))
		if err != nil {
			return nil, err
		}
		if all != nil && !maps.Equal(all, calls) {
			return nil, fmt.Errorf("the numbers of %s and %s are not the same", archs[0], arch)
		}
		all = calls
	}
	return all, nil
}

func read(file string) (map[string]uint32, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	calls, named := map[string]uint32{}, map[uint32]string{}
	for _, m := range constant.FindAllSubmatch(src, -1) {
		name := strings.ToLower(string(m[1]))
		if notCalls.MatchString(name) {
			continue
		}
		nr, err := strconv.ParseUint(string(m[2]), 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, name, err)
		}
		if other, taken := named[uint32(nr)]; taken {
			return nil, fmt.Errorf("%s: %s and %s are both %d", file, other, name, nr)
		}
		calls[name], named[uint32(nr)] = uint32(nr), name
	}
	if len(calls) == 0 {
		return nil, fmt.Errorf("%s: no system call found", file)
	}
	return calls, nil
}

// source prints the names, sorted, and each table as the names' indices in the
// order of the calls' numbers.
func source(kernel string, names []string, spans [][]span) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, "// Code generated by hack/syscalls. DO NOT EDIT.\n\npackage seccomp\n\n")
	fmt.Fprintf(&b, "// Kernel is the version of Linux whose system calls the tables have.\nconst Kernel = %q\n\n", kernel)
	fmt.Fprint(&b, "// callNames are all system calls of all tables, sorted.\n")
	fmt.Fprintf(&b, "var callNames = [...]string{\n")
	for _, name := range names {
		fmt.Fprintf(&b, "\t%q,\n", name)
	}
	fmt.Fprint(&b, "}\n\n// callWeights say how often programs make each call: commonest.\nvar callWeights = [len(callNames)]uint8{\n")
	for i, name := range names {
		if weight := weights[name]; weight > 0 {
			fmt.Fprintf(&b, "\t%d: %d, // %s\n", i, weight, name)
		}
	}
	fmt.Fprint(&b, "}\n")
	for i, t := range tables {
		fmt.Fprintf(&b, "\n// %s has the calls of %s.\nvar %s = []span{\n", t.name, t.doc, t.name)
		for _, s := range spans[i] {
			fmt.Fprintf(&b, "\t{%#x, []callID{%s}},\n", s.base, row(names, s))
		}
		fmt.Fprint(&b, "}\n")
	}
	return b.Bytes()
}

// row prints one span: an index for each number, noCall where a number has no name.
func row(names []string, s span) string {
	byNumber := map[uint32]string{}
	last := s.base
	for _, name := range slices.Sorted(maps.Keys(s.calls)) {
		nr := s.calls[name]
		byNumber[nr] = name
		last = max(last, nr)
	}
	var b strings.Builder
	for nr := s.base; nr <= last; nr++ {
		if (nr-s.base)%16 == 0 {
			fmt.Fprint(&b, "\n")
		}
		if name, ok := byNumber[nr]; ok {
			id, _ := slices.BinarySearch(names, name)
			fmt.Fprintf(&b, "%d, ", id)
		} else {
			fmt.Fprint(&b, "noCall, ")
		}
	}
	return b.String() + "\n"
}
