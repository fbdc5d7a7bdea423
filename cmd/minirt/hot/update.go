package hot

import (
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/lifecycle"
	"github.com/minirt/minirt/spec"
)

// Update is the verb "update".
type Update struct {
	Resources         string   `name:"resources" short:"r" placeholder:"FILE" help:"Read linux.resources from FILE, or, if it is \"-\", from standard input; the flags for limits are then of no meaning."`
	Memory            string   `name:"memory" placeholder:"SIZE" help:"Limit of memory: bytes, or with k, m or g behind; -1 is unlimited."`
	MemoryReservation string   `name:"memory-reservation" placeholder:"SIZE" help:"Memory that is kept when the host runs short."`
	MemorySwap        string   `name:"memory-swap" placeholder:"SIZE" help:"Limit of memory and swap together; -1 is unlimited."`
	CPUShare          string   `name:"cpu-share" placeholder:"N" help:"Share of CPU time, relative to other containers'."`
	CPUQuota          string   `name:"cpu-quota" placeholder:"US" help:"Limit of CPU time in a period, in microseconds."`
	CPUPeriod         string   `name:"cpu-period" placeholder:"US" help:"That period."`
	CPUBurst          string   `name:"cpu-burst" placeholder:"US" help:"CPU time that may be saved for later periods."`
	CPURTRuntime      string   `name:"cpu-rt-runtime" placeholder:"US" help:"Limit of real-time scheduling in a period."`
	CPURTPeriod       string   `name:"cpu-rt-period" placeholder:"US" help:"That period."`
	CPUIdle           string   `name:"cpu-idle" placeholder:"N" help:"1 runs the container only when a CPU is idle."`
	CPUSetCPUs        string   `name:"cpuset-cpus" placeholder:"LIST" help:"CPUs to use."`
	CPUSetMems        string   `name:"cpuset-mems" placeholder:"LIST" help:"Memory nodes to use."`
	PidsLimit         string   `name:"pids-limit" placeholder:"N" help:"Limit of processes; -1 is unlimited."`
	BlkioWeight       string   `name:"blkio-weight" placeholder:"N" help:"Share of disk time, 10 to 1000."`
	KernelMemory      string   `name:"kernel-memory" placeholder:"SIZE" hidden:"" help:"Taken and ignored."`
	KernelMemoryTCP   string   `name:"kernel-memory-tcp" placeholder:"SIZE" hidden:"" help:"Taken and ignored."`
	L3CacheSchema     string   `name:"l3-cache-schema" placeholder:"S" help:"Share of the L3 cache, as linux.intelRdt has it, such as L3:0=f."`
	MemBWSchema       string   `name:"mem-bw-schema" placeholder:"S" help:"Share of memory bandwidth, such as MB:0=50."`
	DeviceAdd         []string `name:"device-add" placeholder:"HOST[:PATH][:ACCESS]" help:"Give the container the host's device node HOST, at PATH in the container, with ACCESS (some of r, w and m). May be given again."`
	DeviceRm          []string `name:"device-rm" placeholder:"PATH" help:"Take a device away that was added so. May be given again."`
	Container
}

func (*Update) Help() string {
	return `Changes the limits of a container that is created, running or paused. What isn't given stays as it is; in FILE, zeros mean the same. If anything is refused, all is put back as it was.

A device is added with its rule in the cgroup and its node in the container's /dev, or not at all; it stays until it is removed or the container ends. The rules for devices in FILE are ignored.`
}

func (*Update) Example() string {
	return `minirt update --memory 64m --pids-limit 100 web
minirt update --resources limits.json web
minirt update --device-add /dev/fuse web
minirt update --device-rm /dev/fuse --device-add /dev/loop3:/dev/disk:r web`
}

func (f *Update) Run(r *lifecycle.Runtime) (status int, err error) {
	res, err := f.resources(r)
	if err != nil {
		return 0, &lifecycle.Error{Verb: "update", ID: f.ID, Err: err}
	}
	u := lifecycle.Changes{Resources: res, L3CacheSchema: f.L3CacheSchema, MemBwSchema: f.MemBWSchema, RemoveDevices: f.DeviceRm}
	for _, d := range f.DeviceAdd {
		u.AddDevices = append(u.AddDevices, device(d))
	}
	return 0, r.Update(f.ID, u)
}

// device reads HOST[:PATH][:ACCESS]: what has no slash is access.
func device(s string) (d lifecycle.Device) {
	source, rest, more := strings.Cut(s, ":")
	d.Source = source
	if more && strings.HasPrefix(rest, "/") {
		d.Path, rest, _ = strings.Cut(rest, ":")
	}
	d.Access = rest
	return d
}

// resources is what the file says, or the flags.
func (f *Update) resources(r *lifecycle.Runtime) (*specs.LinuxResources, error) {
	if f.Resources == "" {
		if f.KernelMemory != "" || f.KernelMemoryTCP != "" {
			r.Warn("--kernel-memory and --kernel-memory-tcp are ignored: kernels have had no such limits since Linux 5.4")
		}
		return f.given()
	}
	b, err := f.text()
	if err != nil {
		return nil, err
	}
	res, warnings, err := spec.LoadResources(b)
	for _, w := range warnings {
		r.Warn(w.Error())
	}
	return res, err
}

// standardInput is what update has read there: it isn't there any more when main
// runs the verb again, with a driver.
var standardInput []byte

// text reads the file.
func (f *Update) text() (b []byte, err error) {
	if f.Resources != "-" {
		file, err := os.Open(f.Resources)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return io.ReadAll(io.LimitReader(file, 16<<20))
	}
	if standardInput == nil {
		standardInput, err = io.ReadAll(io.LimitReader(os.Stdin, 16<<20))
	}
	return standardInput, err
}

// given are the flags as resources.
func (f *Update) given() (*specs.LinuxResources, error) {
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
		p.err = UsageError("--" + flag + ": " + strconv.Quote(value) + " is not " + want)
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

func (p *numbers) size(flag, s string) *int64 {
	if s == "" {
		return nil
	}
	n, ok := Size(s)
	if !ok {
		p.refuse(flag, s, "a size: bytes, or with k, m or g behind, or -1")
	}
	return &n
}

// Size reads bytes, or with k, m, g or t behind (powers of 1024); -1 is no limit.
func Size(s string) (n int64, ok bool) {
	digits, shift := strings.TrimSuffix(strings.ToLower(s), "b"), 0
	if i := strings.IndexAny(digits, "kmgt"); i > 0 && i == len(digits)-1 {
		shift = 10 * (1 + strings.IndexByte("kmgt", digits[i]))
		digits = digits[:i]
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < -1 || n<<shift>>shift != n || shift > 0 && n < 0 {
		return 0, false
	}
	return n << shift, true
}
