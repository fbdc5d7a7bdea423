package cgroup

import (
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
)

const blockIOPath = "linux.resources.blockIO."

// blockIO compiles config-linux.md, Block IO.
func (c *compiler) blockIO(b *specs.LinuxBlockIO) {
	if b == nil {
		return
	}
	c.weight(b.Weight)
	c.leafWeight("", blockIOPath+"leafWeight", b.LeafWeight)
	for i := range b.WeightDevice {
		c.weightDevice(at(blockIOPath+"weightDevice", i), &b.WeightDevice[i])
	}
	c.throttle("throttleReadBpsDevice", "read_bps", "rbps", b.ThrottleReadBpsDevice)
	c.throttle("throttleWriteBpsDevice", "write_bps", "wbps", b.ThrottleWriteBpsDevice)
	c.throttle("throttleReadIOPSDevice", "read_iops", "riops", b.ThrottleReadIOPSDevice)
	c.throttle("throttleWriteIOPSDevice", "write_iops", "wiops", b.ThrottleWriteIOPSDevice)
}

// weight: Docker always sends 0 for unset; the schedulers have no such weight.
func (c *compiler) weight(n *uint16) {
	if n == nil || *n == 0 {
		return
	}
	path, value := blockIOPath+"weight", natural(uint64(*n))
	switch h := c.need("blkio", path, value); {
	case h == nil:
	case h.V2:
		c.put(withElse("io", path, "io.bfq.weight", value, "io.weight", natural(ioWeight(*n))))
	default:
		c.put(withElse("blkio", path, "blkio.weight", value, "blkio.bfq.weight", value))
	}
}

// withElse writes to the first of two files that the kernel has. Which it is
// depends on its I/O schedulers: blkio.weight was CFQ's, gone with Linux 5.0;
// BFQ has files of its own name; io.weight is io.cost's.
func withElse(controller, path, file, value, file2, value2 string) Write {
	w := Write{Controller: controller, Path: path, File: file2, Value: value2}
	return Write{Controller: controller, Path: path, File: file, Value: value, Else: &w}
}

// ioWeight converts 10…1000 to 1…10000, in a straight line.
func ioWeight(n uint16) uint64 {
	if n < 10 {
		return 1
	}
	return 1 + (uint64(n)-10)*9999/990
}

// leafWeight was CFQ's: a kernel that lacks the file refuses it by name.
func (c *compiler) leafWeight(device, path string, n *uint16) {
	if n == nil || *n == 0 && device == "" {
		return
	}
	value, file := natural(uint64(*n)), "blkio.leaf_weight"
	if device != "" {
		file += "_device"
	}
	switch h := c.need("blkio", path, value); {
	case h == nil:
	case h.V2:
		c.fault(path, value, notOnV2)
	default:
		c.put(Write{Controller: "blkio", Path: path, File: file, Value: device + value})
	}
}

func (c *compiler) weightDevice(path string, d *specs.LinuxWeightDevice) {
	device := deviceNumber(d.LinuxBlockIODevice) + " "
	if d.Weight == nil && d.LeafWeight == nil {
		c.fault(path, device[:len(device)-1], "has neither weight nor leafWeight")
		return
	}
	if n := d.Weight; n != nil {
		path, value := path+".weight", device+natural(uint64(*n))
		switch h := c.need("blkio", path, natural(uint64(*n))); {
		case h == nil:
		case h.V2:
			c.put(withElse("io", path, "io.bfq.weight", value, "io.weight", device+natural(ioWeight(*n))))
		default:
			c.put(withElse("blkio", path, "blkio.weight_device", value, "blkio.bfq.weight_device", value))
		}
	}
	c.leafWeight(device, path+".leafWeight", d.LeafWeight)
}

// throttle: a rate of 0 is none in version 1; version 2 says "max".
func (c *compiler) throttle(name, file, key string, list []specs.LinuxThrottleDevice) {
	for i := range list {
		d := &list[i]
		path, device, rate := at(blockIOPath+name, i), deviceNumber(d.LinuxBlockIODevice), natural(d.Rate)
		w := Write{Controller: "blkio", Path: path, File: "blkio.throttle." + file + "_device", Value: device + " " + rate}
		switch h := c.need("blkio", path, rate); {
		case h == nil:
			continue
		case h.V2:
			if d.Rate == 0 {
				rate = "max"
			}
			w.Controller, w.File, w.Value = "io", "io.max", device+" "+key+"="+rate
		}
		c.put(w)
	}
}

func deviceNumber(d specs.LinuxBlockIODevice) string {
	return strconv.FormatInt(d.Major, 10) + ":" + strconv.FormatInt(d.Minor, 10)
}
