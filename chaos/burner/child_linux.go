package burner

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithBrunt has the kernel kill the child when the thread that starts it ends. It
// has a group of its own: Ctrl-C is brunt's to deal with.
func dieWithBrunt(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// endWith ends this process when another one ends.
//
// subtle: a container's control groups are removed when its first process has ended, and
// could not be while this one is in them.
func endWith(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		os.Exit(0)
	}
	if err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	go func() {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			if n, err := unix.Poll(fds, -1); n > 0 || err != nil && err != unix.EINTR {
				os.Exit(0)
			}
		}
	}()
	return nil
}
