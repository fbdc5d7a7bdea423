package hot

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/lifecycle"
)

// Logged are the flags that say what becomes of a container's output.
type Logged struct {
	LogDriver string   `name:"log-driver" placeholder:"DRIVER" help:"Where the output of a container goes that nobody waits for: file:PATH, a log for the verb logs; none; without it, to this terminal or whatever is open here."`
	LogOpt    []string `name:"log-opt" placeholder:"NAME=VALUE" help:"max-size=SIZE begins a new file after SIZE bytes (k, m and g are powers of 1000), max-file=N keeps N of them, 3 without it. May be given again, or be several with commas between them."`
}

// defaultFiles is how many files a log has that has a max-size.
const defaultFiles = 3

// check refuses what is wrong by itself.
func (f *Logged) check() error {
	_, err := f.options()
	return err
}

// options are the flags as lifecycle takes them.
func (f *Logged) options() (o lifecycle.LogOptions, err error) {
	driver, file, ok := strings.Cut(f.LogDriver, ":")
	switch {
	case f.LogDriver == "" || f.LogDriver == lifecycle.LogNone || ok && driver == lifecycle.LogFile && file != "":
		o.Driver, o.Path = driver, file
	default:
		return o, UsageError("--log-driver: " + strconv.Quote(f.LogDriver) + " is neither file:PATH nor none")
	}
	for _, list := range f.LogOpt {
		for option := range strings.SplitSeq(list, ",") {
			name, value, _ := strings.Cut(option, "=")
			switch name {
			case "max-size":
				o.MaxSize = sizeOf(value)
				ok = o.MaxSize > 0
			case "max-file":
				o.Files, err = strconv.Atoi(value)
				ok = err == nil && o.Files > 0 && o.Files <= 1000
			default:
				return o, UsageError("--log-opt: " + strconv.Quote(option) + " is neither max-size=SIZE nor max-file=N")
			}
			if !ok {
				return o, UsageError("--log-opt: " + strconv.Quote(value) + " can't be the " + name + " of a log")
			}
		}
	}
	switch {
	case len(f.LogOpt) > 0 && o.Driver != lifecycle.LogFile:
		return o, UsageError("--log-opt needs --log-driver file:PATH")
	case o.Files > 0 && o.MaxSize == 0:
		return o, UsageError("--log-opt: max-file needs a max-size: without it there is one file, which grows")
	case o.Files == 0 && o.MaxSize > 0:
		o.Files = defaultFiles
	}
	return o, nil
}

// sizeOf reads a number of bytes; 0 if it is none.
func sizeOf(s string) int {
	digits := strings.TrimRight(s, "kmgKMG")
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil {
		return 0
	}
	switch s[len(digits):] {
	case "":
		return int(n)
	case "k", "K":
		return int(n) * 1e3
	case "m", "M":
		return int(n) * 1e6
	case "g", "G":
		return int(n) * 1e9
	}
	return 0
}
