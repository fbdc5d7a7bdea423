package security
import ("testing";"fmt";"golang.org/x/sys/unix";"os/exec";"os")
func dbg(t *testing.T, b *box) {
	var ws unix.WaitStatus
	pid:=b.pid()
	got,err:=unix.Wait4(pid,&ws,0,nil)
	fmt.Println("DBG",pid,got,err,ws,ws.Exited(),ws.ExitStatus(),ws.Signaled(),ws.Signal())
}
func (b *box) strace(trace string) {
	b.caller = func(c *exec.Cmd) {
		strace, _ := exec.LookPath("strace")
		c.Path, c.Args = strace, append([]string{"strace", "-f", "-qq", "-s", "300", "-o", trace}, c.Args...)
		c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/"}
	}
}
