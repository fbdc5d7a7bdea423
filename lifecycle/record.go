package lifecycle

import (
	"strconv"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/minirt/minirt/internal/json"
)

// Record is state.json in a container's directory: what later verbs need to
// know and can't find out. It is written first with status creating, before
// any effect that it names is made, and again when the container is created.
// The container's status is never in it: see status.go.
type Record struct {
	OCIVersion  string            `json:"ociVersion"`
	ID          string            `json:"id"`
	Bundle      string            `json:"bundle"`
	Rootfs      string            `json:"rootfs"`
	Created     string            `json:"created"` // RFC 3339
	Annotations map[string]string `json:"annotations,omitempty"`
	Process     Proc              `json:"process"` // the container's; PID 0 until it is created
	Creator     Proc              `json:"creator"` // the minirt that creates it
	NewPID      bool              `json:"newPid"`  // it has a pid namespace of its own
	Program     bool              `json:"program"` // process.args names a program to start
	Hooks       bool              `json:"hooks"`   // config.json has hooks for start or delete
	Deaf        bool              `json:"deaf"`    // at its gate no signal but SIGKILL ends the process: a filter keeps it from waiting for them
	Scope       RecordScope       `json:"scope"`   // if systemd made the cgroups
	Cgroups     []RecordCgroup    `json:"cgroups,omitempty"`
	Points      []string          `json:"points,omitempty"` // made on the bundle's root file system (internal/mountpoint)
	Mounts      []string          `json:"mounts,omitempty"` // made in the host's mount namespace, in order
	Rdt         RecordRdt         `json:"rdt"`
	NetNS       string            `json:"netNs"`                // the path of its network namespace, if network devices are moved there
	NetDevices  []RecordNetDevice `json:"netDevices,omitempty"` // that create moves into its network namespace
	Devices     []RecordDevice    `json:"devices,omitempty"`    // added by update, beside the config's
	Log         RecordLog         `json:"log"`                  // of its output; empty where that is the caller's own
	OldKeyring  bool              `json:"oldKeyring"`           // it keeps the caller's session keyring, and execs keep theirs
}

// RecordRdt is the container's place in resctrl (resctrl.Group).
type RecordRdt struct {
	Dir     string `json:"dir"`     // of the control group; "" for none
	Monitor string `json:"monitor"` // of the monitoring group; "" for none
	Own     bool   `json:"own"`     // delete removes Dir
}

// RecordDevice is a device that update has added (hotplug.go).
type RecordDevice struct {
	Path   string `json:"path"` // of the node, below the container's root
	Type   string `json:"type"` // "c" or "b"
	Major  int64  `json:"major"`
	Minor  int64  `json:"minor"`
	Access string `json:"access"`
	Source string `json:"source"` // the host's node
	Exists int    `json:"exists"` // components of Path that were there before
	Bound  bool   `json:"bound"`  // the host's node, bound onto an empty file
}

// RecordScope is the container's scope (unit.Unit). Name is "" where there is none.
type RecordScope struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// RecordCgroup is a directory of the container's cgroup (cgroup.Dir).
type RecordCgroup struct {
	Name        string   `json:"name"`
	Controllers []string `json:"controllers,omitempty"`
	Mount       string   `json:"mount"`
	V2          bool     `json:"v2"`
	Path        string   `json:"path"`
	Made        []string `json:"made,omitempty"`
}

// Words is the file words in a container's directory: what the steps behind
// the gate are for. Only a start that fails reads it.
type Words struct {
	Steps []RecordStep `json:"steps"`
}

// RecordStep tells what a step of the plan is for.
type RecordStep struct {
	Step    int    `json:"step"`
	What    string `json:"what"`
	Program string `json:"program"` // instead of What, if it is to find or execute the program
	Path    string `json:"path"`    // the place in config.json
}

// group is the container's cgroup as internal/cgroup has it.
func (r *Record) group() *cgroup.Group {
	g := &cgroup.Group{Dirs: make([]cgroup.Dir, len(r.Cgroups))}
	for i, c := range r.Cgroups {
		g.Dirs[i] = cgroup.Dir{
			Hierarchy: cgroup.Hierarchy{Name: c.Name, Controllers: c.Controllers, Mount: c.Mount, V2: c.V2},
			Path:      c.Path, Made: c.Made,
		}
	}
	return g
}

func (r *Record) setGroup(g *cgroup.Group) {
	r.Cgroups = r.Cgroups[:0]
	for _, d := range g.Dirs {
		r.Cgroups = append(r.Cgroups, RecordCgroup{d.Name, d.Controllers, d.Mount, d.V2, d.Path, d.Made})
	}
}

// appendJSON writes the record; decodeRecord reads it.
func (r *Record) appendJSON(b []byte) []byte {
	b = field(b, `{"ociVersion":`, r.OCIVersion)
	b = field(b, `,"id":`, r.ID)
	b = field(b, `,"bundle":`, r.Bundle)
	b = field(b, `,"rootfs":`, r.Rootfs)
	b = field(b, `,"created":`, r.Created)
	b = append(b, `,"annotations":`...)
	b = appendMap(b, r.Annotations, "")
	b = r.Process.appendJSON(append(b, `,"process":`...))
	b = r.Creator.appendJSON(append(b, `,"creator":`...))
	b = strconv.AppendBool(append(b, `,"newPid":`...), r.NewPID)
	b = strconv.AppendBool(append(b, `,"program":`...), r.Program)
	b = strconv.AppendBool(append(b, `,"hooks":`...), r.Hooks)
	b = field(b, `,"scope":{"name":`, r.Scope.Name)
	b = append(field(b, `,"description":`, r.Scope.Description), '}')
	b = append(b, `,"cgroups":[`...)
	for i, c := range r.Cgroups {
		b = c.appendJSON(comma(b, i))
	}
	b = appendStrings(append(b, `],"points":`...), r.Points)
	b = appendStrings(append(b, `,"mounts":`...), r.Mounts)
	if r.Rdt.Dir != "" {
		b = r.Rdt.appendJSON(append(b, `,"rdt":`...))
	}
	if len(r.NetDevices) > 0 {
		b = append(field(b, `,"netNs":`, r.NetNS), `,"netDevices":[`...)
		for i := range r.NetDevices {
			b = r.NetDevices[i].appendJSON(comma(b, i))
		}
		b = append(b, ']')
	}
	if len(r.Devices) > 0 {
		b = append(b, `,"devices":[`...)
		for i := range r.Devices {
			b = r.Devices[i].appendJSON(comma(b, i))
		}
		b = append(b, ']')
	}
	if r.Deaf {
		b = append(b, `,"deaf":true`...)
	}
	if r.Log != (RecordLog{}) {
		b = r.Log.appendJSON(append(b, `,"log":`...))
	}
	if r.OldKeyring {
		b = append(b, `,"oldKeyring":true`...)
	}
	return append(b, "}\n"...)
}

func (r *RecordRdt) appendJSON(b []byte) []byte {
	b = field(b, `{"dir":`, r.Dir)
	b = field(b, `,"monitor":`, r.Monitor)
	return append(strconv.AppendBool(append(b, `,"own":`...), r.Own), '}')
}

func (d *RecordDevice) appendJSON(b []byte) []byte {
	b = field(b, `{"path":`, d.Path)
	b = field(b, `,"type":`, d.Type)
	b = strconv.AppendInt(append(b, `,"major":`...), d.Major, 10)
	b = strconv.AppendInt(append(b, `,"minor":`...), d.Minor, 10)
	b = field(b, `,"access":`, d.Access)
	b = field(b, `,"source":`, d.Source)
	b = strconv.AppendInt(append(b, `,"exists":`...), int64(d.Exists), 10)
	return append(strconv.AppendBool(append(b, `,"bound":`...), d.Bound), '}')
}

func (p Proc) appendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"pid":`...), int64(p.PID), 10)
	b = strconv.AppendUint(append(b, `,"birth":`...), p.Birth, 10)
	return append(b, '}')
}

func (c *RecordCgroup) appendJSON(b []byte) []byte {
	b = field(b, `{"name":`, c.Name)
	b = appendStrings(append(b, `,"controllers":`...), c.Controllers)
	b = field(b, `,"mount":`, c.Mount)
	b = strconv.AppendBool(append(b, `,"v2":`...), c.V2)
	b = field(b, `,"path":`, c.Path)
	return append(appendStrings(append(b, `,"made":`...), c.Made), '}')
}

func field(b []byte, key, value string) []byte { return json.AppendString(append(b, key...), value) }

func comma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		b = json.AppendString(comma(b, i), s)
	}
	return append(b, ']')
}

//go:generate go run ../hack/decoder -src . -types Record,Words -pkg lifecycle -o record_decode.go

// appendJSON writes the words; decodeWords reads them.
func (w *Words) appendJSON(b []byte) []byte {
	b = append(b, `{"steps":[`...)
	for i, s := range w.Steps {
		b = strconv.AppendInt(append(comma(b, i), `{"step":`...), int64(s.Step), 10)
		b = field(b, `,"what":`, s.What)
		b = field(b, `,"program":`, s.Program)
		b = append(field(b, `,"path":`, s.Path), '}')
	}
	return append(b, "]}\n"...)
}

// readRecord reads what appendJSON wrote.
func readRecord(b []byte) (*Record, error) {
	rec := new(Record)
	if faults := json.Decode(string(b), rec, decodeRecord); len(faults) > 0 {
		return nil, text("not a state of minirt's: " + faults[0].Text)
	}
	return rec, nil
}
