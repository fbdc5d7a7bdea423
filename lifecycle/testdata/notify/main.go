// Command notify is a service in a container: it says each of its arguments on
// its NOTIFY_SOCKET (sd_notify(3)).
package main

import (
	"os"
	"syscall"
)

func main() {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	if err == nil {
		err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: os.Getenv("NOTIFY_SOCKET")})
	}
	for _, words := range os.Args[1:] {
		if err == nil {
			_, err = syscall.Write(fd, []byte(words))
		}
	}
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
