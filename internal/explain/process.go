package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// process compares what config.md, Process, asks for.
func (x *explanation) process() {
	p := x.s.Process
	if p == nil {
		return
	}
	if r := x.f.Files["status"]; r.Err != nil {
		x.unknown("process", "", "can't be read: "+r.Err.Error())
	}
	x.terminal(p)
	x.user(&p.User)
	x.arguments(p.Args)
	x.environment(p.Env)
	x.directory(p.Cwd)
	x.capabilities(p)
	x.rlimits(p.Rlimits)
	x.flag("process.noNewPrivileges", p.NoNewPrivileges, x.status["NoNewPrivs"])
	x.label("process.apparmorProfile", p.ApparmorProfile, "attr/apparmor/current")
	x.oom(p.OOMScoreAdj)
	x.scheduler(p.Scheduler)
	x.label("process.selinuxLabel", p.SelinuxLabel, "attr/current")
	x.ioPriority(p.IOPriority)
}

// stat gives a field of /proc/PID/stat by its number in proc_pid_stat(5), from 3 on.
func (x *explanation) stat(field int) int64 {
	text := x.f.Files["stat"].Text
	f := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(f) < field-2 {
		return 0
	}
	n, _ := strconv.ParseInt(f[field-3], 10, 64)
	return n
}

func (x *explanation) terminal(p *specs.Process) {
	const ttyNumber, firstPTY, lastPTY = 7, 136, 143
	kernel, device := "none", x.stat(ttyNumber)
	major, minor := device>>8&0xfff, device&0xff|device>>12&0xfff00
	switch {
	case device != 0 && major >= firstPTY && major <= lastPTY:
		kernel = "pts/" + number((major-firstPTY)<<8|minor)
	case device != 0:
		kernel = number(major) + ":" + number(minor)
	}
	x.compare("process.terminal", yes(p.Terminal), kernel, p.Terminal == (device != 0), "")
}

// user compares ids and umask. The program may have given up its own.
func (x *explanation) user(u *specs.User) {
	x.id("process.user.uid", u.UID, x.status["Uid"], x.uids)
	x.id("process.user.gid", u.GID, x.status["Gid"], x.gids)
	x.groups(u.AdditionalGids)
	config, kernel := "", x.status["Umask"]
	if u.Umask != nil {
		config = octal(uint64(*u.Umask))
	}
	now, err := strconv.ParseUint(kernel, 8, 32)
	x.late("process.user.umask", config, kernel, u.Umask == nil || err == nil && now == uint64(*u.Umask), "now")
}

func octal(n uint64) string { return "0" + strconv.FormatUint(n, 8) }

// id compares the four ids of a line of status: real, effective, saved and of the file system.
func (x *explanation) id(field string, config uint32, line string, ids []idRange) {
	four := strings.Fields(line)
	if len(four) != 4 {
		x.unknown(field, natural(uint64(config)), "the kernel doesn't tell")
		return
	}
	kernel, want := x.idName(four[0], ids), natural(uint64(config))
	same := kernel == want
	for _, word := range four[1:] {
		same = same && word == four[0]
	}
	switch {
	case !same && (four[1] != four[0] || four[2] != four[0]):
		kernel = "real " + kernel + ", effective " + x.idName(four[1], ids) + ", saved " + x.idName(four[2], ids)
	case same && kernel != four[0]:
		kernel += " (" + four[0] + " outside)"
	}
	x.compare(field, want, kernel, same, "now")
}

// idName is an id of the caller's as the container knows it.
func (x *explanation) idName(word string, ids []idRange) string {
	n, err := strconv.ParseUint(word, 10, 32)
	if err != nil {
		return word
	}
	if inside, ok := insideID(ids, n); ok {
		return natural(inside)
	}
	return word + " outside"
}

func (x *explanation) groups(config []uint32) {
	var want, now []string
	for _, g := range config {
		want = append(want, natural(uint64(g)))
	}
	for g := range strings.FieldsSeq(x.status["Groups"]) {
		now = append(now, x.idName(g, x.gids))
	}
	x.compare("process.user.additionalGids", words(want), words(now), sameSet(want, now), "now")
}

// sameSet tells whether two lists have the same members.
func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// arguments compares the command line. The kernel puts an interpreter in front of
// a script, and its path in the place of the first argument.
func (x *explanation) arguments(args []string) {
	const field = "process.args"
	config := quoted(args)
	text, ok := x.told(field, config, x.f.Files["cmdline"])
	if !ok {
		return
	}
	now := strings.Split(strings.TrimSuffix(text, "\x00"), "\x00")
	same := len(args) == 0 || len(now) >= len(args) && slices.Equal(now[len(now)-len(args)+1:], args[1:])
	x.late(field, config, quoted(now), same, "now: the program may call itself what it likes, and may have executed another")
}

func quoted(list []string) string {
	b := make([]byte, 0, 64)
	for i, s := range list {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendQuote(b, s)
	}
	return string(b)
}

// environment tells the names of what differs, and no values: those may be secret.
func (x *explanation) environment(env []string) {
	const field = "process.env"
	config := strconv.Itoa(len(env)) + ": " + words(namesOf(env))
	text, ok := x.told(field, config, x.f.Files["environ"])
	if !ok {
		return
	}
	now := strings.Split(strings.TrimSuffix(text, "\x00"), "\x00")
	if text == "" {
		now = nil
	}
	var missing, more []string
	for _, e := range env {
		if !slices.Contains(now, e) && e != "HOME=" { // an empty HOME is filled in
			missing = append(missing, e)
		}
	}
	same := len(missing) == 0
	for _, e := range now {
		if !slices.Contains(env, e) {
			more = append(more, e)
			same = same && strings.HasPrefix(e, "HOME=")
		}
	}
	kernel := strconv.Itoa(len(now))
	if len(missing) > 0 {
		kernel += ", not as asked: " + words(namesOf(missing))
	}
	if len(more) > 0 {
		kernel += ", beside: " + words(namesOf(more))
	}
	x.late(field, config, kernel, same, "as the program has been given it")
}

// namesOf are the names in an environment, quoted where they are strange.
func namesOf(env []string) (names []string) {
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if q := strconv.Quote(name); q != `"`+name+`"` {
			name = q
		}
		names = append(names, name)
	}
	return names
}

func (x *explanation) directory(cwd string) {
	if now, ok := x.told("process.cwd", cwd, x.f.Links["cwd"]); ok {
		now = x.inside(now)
		x.compare("process.cwd", cwd, now, cleaned(now) == cleaned(cwd), "now: or a link leads there")
	}
}

// inside takes the root off a path of a container that has no mount namespace.
func (x *explanation) inside(path string) string {
	if root := x.f.Links["root"].Text; root != "" && root != "/" && under(path, root) {
		return "/" + strings.TrimPrefix(path[len(root):], "/")
	}
	return path
}

func cleaned(path string) string { return "/" + strings.Trim(path, "/") }

// flag compares a boolean of status.
func (x *explanation) flag(field string, config bool, now string) {
	if now == "" {
		x.unknown(field, yes(config), "the kernel doesn't tell")
		return
	}
	x.compare(field, yes(config), yes(now == "1"), config == (now == "1"), "")
}

// label compares the label of a security module, which AppArmor tells with its mode behind it.
func (x *explanation) label(field, config, file string) {
	r := x.f.Files[file]
	now := strings.TrimRight(r.Text, "\x00\n")
	if config == "" && (r.Err != nil || file == "attr/current") { // without SELinux it is another module's
		return
	}
	if _, ok := x.told(field, config, r); ok {
		name, _, _ := strings.Cut(now, " (")
		x.late(field, config, now, config == "" || name == config, "")
	}
}

func (x *explanation) oom(config *int) {
	want := ""
	if config != nil {
		want = strconv.Itoa(*config)
	}
	if now, ok := x.told("process.oomScoreAdj", want, x.f.Files["oom_score_adj"]); ok {
		now = strings.TrimSpace(now)
		x.compare("process.oomScoreAdj", want, now, config == nil || now == want, "")
	}
}
