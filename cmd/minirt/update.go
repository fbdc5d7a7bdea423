package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/lifecycle"
	"github.com/minirt/minirt/spec"
)

type updateFlags struct {
	Resources         string `name:"resources" short:"r" placeholder:"FILE" help:"Read linux.resources from FILE, or, if it is \"-\", from standard input; the other flags are then of no meaning."`
	Memory            string `name:"memory" placeholder:"SIZE" help:"Limit of memory: bytes, or with k, m or g behind; -1 is unlimited."`
	MemoryReservation string `name:"memory-reservation" placeholder:"SIZE" help:"Memory that is kept when the host runs short."`
	MemorySwap        string `name:"memory-swap" placeholder:"SIZE" help:"Limit of memory and swap together; -1 is unlimited."`
	CPUShare          string `name:"cpu-share" placeholder:"N" help:"Share of CPU time, relative to other containers'."`
	CPUQuota          string `name:"cpu-quota" placeholder:"US" help:"Limit of CPU time in a period, in microseconds."`
	CPUPeriod         string `name:"cpu-period" placeholder:"US" help:"That period."`
	CPUBurst          string `name:"cpu-burst" placeholder:"US" help:"CPU time that may be saved for later periods."`
	CPURTRuntime      string `name:"cpu-rt-runtime" placeholder:"US" help:"Limit of real-time scheduling in a period."`
	CPURTPeriod       string `name:"cpu-rt-period" placeholder:"US" help:"That period."`
	CPUIdle           string `name:"cpu-idle" placeholder:"N" help:"1 runs the container only when a CPU is idle."`
	CPUSetCPUs        string `name:"cpuset-cpus" placeholder:"LIST" help:"CPUs to use."`
	CPUSetMems        string `name:"cpuset-mems" placeholder:"LIST" help:"Memory nodes to use."`
	PidsLimit         string `name:"pids-limit" placeholder:"N" help:"Limit of processes; -1 is unlimited."`
	BlkioWeight       string `name:"blkio-weight" placeholder:"N" help:"Share of disk time, 10 to 1000."`
	KernelMemory      string `name:"kernel-memory" placeholder:"SIZE" hidden:"" help:"Taken and ignored."`
	KernelMemoryTCP   string `name:"kernel-memory-tcp" placeholder:"SIZE" hidden:"" help:"Taken and ignored."`
	L3CacheSchema     string `name:"l3-cache-schema" placeholder:"S" hidden:"" help:"Not supported."`
	MemBWSchema       string `name:"mem-bw-schema" placeholder:"S" hidden:"" help:"Not supported."`
	ID                string `arg:"" name:"ID" help:"The container."`
}

func (*updateFlags) Help() string {
	return `Changes the limits of a container that is created, running or paused. What isn't given stays as it is; in FILE, zeros mean the same. Rules for devices are never changed. If the kernel refuses a value, the others are put back.`
}

func (*updateFlags) Example() string {
	return `minirt update --memory 64m --pids-limit 100 web
minirt update --resources limits.json web`
}

func (f *updateFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	res, err := f.resources(r)
	if err != nil {
		return 0, &lifecycle.Error{Verb: "update", ID: f.ID, Err: err}
	}
	return 0, r.Update(f.ID, res)
}

// resources is what the file says, or the flags.
func (f *updateFlags) resources(r *lifecycle.Runtime) (*specs.LinuxResources, error) {
	if f.L3CacheSchema != "" || f.MemBWSchema != "" {
		return nil, errors.New("--l3-cache-schema and --mem-bw-schema are not supported: minirt does not drive resctrl")
	}
	if f.Resources == "" {
		if f.KernelMemory != "" || f.KernelMemoryTCP != "" {
			r.Warn("--kernel-memory and --kernel-memory-tcp are ignored: kernels have had no such limits since Linux 5.4")
		}
		return f.given()
	}
	in := os.Stdin
	if f.Resources != "-" {
		file, err := os.Open(f.Resources)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	b, err := io.ReadAll(io.LimitReader(in, 16<<20))
	if err != nil {
		return nil, err
	}
	res, warnings, err := spec.LoadResources(b)
	for _, w := range warnings {
		r.Warn(w.Error())
	}
	return res, err
}

// given are the flags as resources.
func (f *updateFlags) given() (*specs.LinuxResources, error) {
	var p numbers
	res := &specs.LinuxResources{
		Memory: &specs.LinuxMemory{
			Limit:       p.size("memory", f.Memory),
			Reservation: p.size("memory-reservation", f.MemoryReservation),
			Swap:        p.size("memory-swap", f.MemorySwap),
		},
		CPU: &specs.LinuxCPU{
			Shares: p.natural("cpu-share", f.CPUShare), Quota: p.whole("cpu-quota", f.CPUQuota),
			Period: p.natural("cpu-period", f.CPUPeriod), Burst: p.natural("cpu-burst", f.CPUBurst),
			RealtimeRuntime: p.whole("cpu-rt-runtime", f.CPURTRuntime), RealtimePeriod: p.natural("cpu-rt-period", f.CPURTPeriod),
			Idle: p.whole("cpu-idle", f.CPUIdle), Cpus: f.CPUSetCPUs, Mems: f.CPUSetMems,
		},
		Pids: &specs.LinuxPids{Limit: p.whole("pids-limit", f.PidsLimit)},
	}
	if w := p.natural("blkio-weight", f.BlkioWeight); w != nil {
		weight := uint16(*w)
		if uint64(weight) != *w {
			p.refuse("blkio-weight", f.BlkioWeight, "a weight up to 1000")
		}
		res.BlockIO = &specs.LinuxBlockIO{Weight: &weight}
	}
	return res, p.err
}

// numbers reads numbers from flags, and keeps the first fault.
type numbers struct{ err error }

func (p *numbers) refuse(flag, value, want string) {
	if p.err == nil {
		p.err = usageError("--" + flag + ": " + quote(value) + " is not " + want)
	}
}

func (p *numbers) whole(flag, s string) *int64 {
	if s == "" {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		p.refuse(flag, s, "a whole number")
	}
	return &n
}

func (p *numbers) natural(flag, s string) *uint64 {
	if s == "" {
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		p.refuse(flag, s, "a whole number from 0 on")
	}
	return &n
}

// size reads bytes, or with k, m, g or t behind (powers of 1024).
func (p *numbers) size(flag, s string) *int64 {
	if s == "" {
		return nil
	}
	digits, shift := strings.TrimSuffix(strings.ToLower(s), "b"), 0
	if i := strings.IndexAny(digits, "kmgt"); i > 0 && i == len(digits)-1 {
		shift = 10 * (1 + strings.IndexByte("kmgt", digits[i]))
		digits = digits[:i]
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < -1 || n<<shift>>shift != n || shift > 0 && n < 0 {
		p.refuse(flag, s, "a size: bytes, or with k, m or g behind, or -1")
	}
	n <<= shift
	return &n
}
