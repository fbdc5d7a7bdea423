package unit

import (
	"strconv"
	"strings"
)

// Annotation begins the annotations that set properties of the unit, by the
// property's name, to a value in GVariant's text form.
const Annotation = "org.systemd.property."

// annotated are the properties that annotations may set, and their D-Bus types.
// An image or a pod can bring annotations: what could run programs or
// start, stop or bind other units (ExecStopPost, Wants, Conflicts, Slice, PIDs, …)
// is not among them. SEC-42.
var annotated = [...]struct{ property, signature string }{
	{"After", "as"},
	{"AllowedCPUs", "ay"},
	{"AllowedMemoryNodes", "ay"},
	{"Before", "as"},
	{"BlockIOWeight", "t"},
	{"CPUQuotaPerSecUSec", "t"},
	{"CPUQuotaPeriodUSec", "t"},
	{"CPUShares", "t"},
	{"CPUWeight", "t"},
	{"CollectMode", "s"},
	{"DefaultDependencies", "b"},
	{"IOWeight", "t"},
	{"KillSignal", "i"},
	{"ManagedOOMMemoryPressure", "s"},
	{"ManagedOOMPreference", "s"},
	{"ManagedOOMSwap", "s"},
	{"MemoryHigh", "t"},
	{"MemoryLimit", "t"},
	{"MemoryLow", "t"},
	{"MemoryMax", "t"},
	{"MemoryMin", "t"},
	{"MemorySwapMax", "t"},
	{"MemoryZSwapMax", "t"},
	{"OOMPolicy", "s"},
	{"RuntimeMaxUSec", "t"},
	{"SendSIGHUP", "b"},
	{"SendSIGKILL", "b"},
	{"StartupAllowedCPUs", "ay"},
	{"StartupAllowedMemoryNodes", "ay"},
	{"StartupBlockIOWeight", "t"},
	{"StartupCPUShares", "t"},
	{"StartupCPUWeight", "t"},
	{"StartupIOWeight", "t"},
	{"TasksMax", "t"},
	{"TimeoutStopUSec", "t"},
}

// Annotated makes a property of an annotation: name is what follows Annotation
// in its key. One that ends in Sec is in seconds, and stands for the one in USec
// that D-Bus has. why says what is wrong, and is "" if nothing is.
func Annotated(name, value string) (p Property, why string) {
	base, seconds := strings.CutSuffix(name, "Sec")
	if seconds = seconds && !strings.HasSuffix(base, "U"); seconds {
		name = base + "USec"
	}
	for _, a := range &annotated {
		switch {
		case a.property != name:
			continue
		case seconds:
			return inSeconds(name, value)
		}
		v, ok := parse(value, a.signature)
		if !ok {
			return p, "not a value of D-Bus type " + a.signature + ", in the text form of GVariant"
		}
		return Property{Name: name, Value: v}, ""
	}
	return p, "not a property that an annotation may set"
}

// inSeconds reads a number of seconds, of any numeric type.
func inSeconds(property, value string) (p Property, why string) {
	if _, bare, typed := strings.Cut(value, " "); typed {
		value = bare
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n >= 0 && n < 1e12) {
		return p, "not a number of seconds"
	}
	return Property{Name: property, Value: uint64(n * 1e6)}, ""
}
