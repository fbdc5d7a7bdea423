package hot

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/lifecycle"
)

// Exec is the verb "exec".
type Exec struct {
	Timed
	Process        string   `name:"process" short:"p" placeholder:"FILE" help:"Run the process that FILE describes, as config.json would; the flags for what to run are then of no meaning."`
	Detach         bool     `name:"detach" short:"d" help:"Return as soon as the program runs."`
	Cwd            string   `name:"cwd" placeholder:"DIR" help:"Run in DIR of the container."`
	Env            []string `name:"env" short:"e" placeholder:"NAME=VALUE" help:"Set a variable of the environment. May be given again."`
	TTY            bool     `name:"tty" short:"t" help:"Give the process a terminal."`
	User           string   `name:"user" short:"u" placeholder:"UID[:GID]" help:"Run as this user and group: numbers."`
	AdditionalGids []string `name:"additional-gids" short:"g" placeholder:"GID" help:"Put the process into one more group. May be given again."`
	Cap            []string `name:"cap" short:"c" placeholder:"CAP" help:"Give one more capability, such as CAP_NET_RAW. May be given again."`
	NoNewPrivs     bool     `name:"no-new-privs" help:"Let the program gain no privileges."`
	AppArmor       string   `name:"apparmor" placeholder:"PROFILE" help:"Apply this AppArmor profile instead of the container's."`
	ProcessLabel   string   `name:"process-label" placeholder:"LABEL" help:"Apply this SELinux label instead of the container's."`
	PIDFile        string   `name:"pid-file" placeholder:"FILE" help:"Write the process's ID to FILE, once the program runs."`
	ConsoleSocket  string   `name:"console-socket" placeholder:"SOCKET" help:"Send the terminal's master descriptor to the unix socket SOCKET."`
	PIDFDSocket    string   `name:"pidfd-socket" placeholder:"SOCKET" help:"Send a pidfd of the process to the unix socket SOCKET."`
	PreserveFDs    int      `name:"preserve-fds" placeholder:"N" help:"Hand N descriptors down, from 3 on."`
	Cgroup         []string `name:"cgroup" placeholder:"[CONTROLLER,…:]PATH" help:"Join a cgroup below the container's own. May be given again, for other controllers."`
	IgnorePaused   bool     `name:"ignore-paused" help:"Don't refuse a paused container: wait until it is resumed."`
	ID             string   `arg:"" name:"ID" passthrough:"" help:"The container."`
	Args           []string `arg:"" name:"COMMAND" optional:"" help:"The program and its arguments."`
}

func (*Exec) Help() string {
	return `Runs one more program in a container that is created or running: with the rights, limits and filters of the container's own process. Waits for its end, passes signals on to it meanwhile, and ends with its exit status; 255 if it could not be started. Flags stand before the ID.`
}

func (*Exec) Example() string {
	return `minirt exec web ps
minirt exec --user 1000:1000 --env LANG=C --cwd /tmp web ls -l
minirt exec --process process.json --detach --pid-file ps.pid web
minirt exec --timing web true`
}

// Check refuses what can be seen to be wrong without the container.
func (f *Exec) Check() error {
	if f.Process == "" && len(f.Args) == 0 {
		return UsageError("argument COMMAND is missing; without it, --process says what to run")
	}
	for fd := 3; fd < 3+f.PreserveFDs; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			return UsageError("--preserve-fds: descriptor " + strconv.Itoa(fd) + " is not open")
		}
	}
	if f.User != "" {
		if _, _, err := lifecycle.ParseUser(f.User); err != nil {
			return UsageError("--user: " + err.Error())
		}
	}
	_, err := f.gids()
	return err
}

func (f *Exec) gids() (gids []uint32, err error) {
	for _, s := range f.AdditionalGids {
		gid, err := lifecycle.ParseGID(s)
		if err != nil {
			return nil, UsageError("--additional-gids: " + err.Error())
		}
		gids = append(gids, gid)
	}
	return gids, nil
}

func (f *Exec) Run(r *lifecycle.Runtime) (status int, err error) {
	return f.timed("exec", f.ID, func(t *lifecycle.Timing) (int, error) {
		o := f.options()
		o.Timing = t
		return r.Exec(f.ID, o)
	})
}

func (f *Exec) options() lifecycle.ExecOptions {
	gids, _ := f.gids()
	return lifecycle.ExecOptions{
		Process:        f.Process,
		Args:           f.Args,
		Cwd:            f.Cwd,
		Env:            f.Env,
		User:           f.User,
		AdditionalGids: gids,
		Caps:           f.Cap,
		NoNewPrivs:     f.NoNewPrivs,
		TTY:            f.TTY,
		AppArmor:       f.AppArmor,
		ProcessLabel:   f.ProcessLabel,
		Detach:         f.Detach,
		PIDFile:        f.PIDFile,
		ConsoleSocket:  f.ConsoleSocket,
		PIDFDSocket:    f.PIDFDSocket,
		PreserveFDs:    f.PreserveFDs,
		Cgroup:         f.Cgroup,
		IgnorePaused:   f.IgnorePaused,
	}
}
