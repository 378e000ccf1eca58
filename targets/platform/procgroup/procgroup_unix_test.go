//go:build unix

package procgroup_test

import (
	"bufio"
	"io"
	"os/exec"
	"syscall"
	"testing"

	"brunt/targets/platform/procgroup"
)

// start starts a shell script in a group of its own, and waits until it has written a line.
func start(t *testing.T, script string) (cmd *exec.Cmd, out io.Reader) {
	t.Helper()
	cmd = exec.Command("/bin/sh", "-c", script)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	if err := procgroup.Start(cmd, func() { <-over }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		procgroup.Kill(cmd.Process.Pid)
		close(over)
	})
	lines := bufio.NewReader(pipe)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return cmd, lines
}

// TestOwn: the attributes that a command has stay, such as the user that it runs as.
func TestOwn(t *testing.T) {
	cmd := exec.Command("/bin/sh")
	cmd.SysProcAttr = &syscall.SysProcAttr{Noctty: true}
	procgroup.Own(cmd)
	if a := cmd.SysProcAttr; !a.Noctty || !a.Setpgid {
		t.Errorf("the attributes are %+v", a)
	}
}

// TestKill: the group is one of its own, and all of its processes end: the pipe that they share is at its end.
func TestKill(t *testing.T) {
	cmd, out := start(t, "sleep 1000 & echo up; wait")
	if group, err := syscall.Getpgid(cmd.Process.Pid); err != nil || group != cmd.Process.Pid {
		t.Errorf("the group is %d, %v, want %d", group, err, cmd.Process.Pid)
	}
	procgroup.Kill(cmd.Process.Pid)
	if _, err := io.ReadAll(out); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("it ended by itself")
	}
}

// TestTerminate: a stopped group receives the signal and ends as it likes.
func TestTerminate(t *testing.T) {
	// A sleep that the shell starts after the signal came holds the pipe, so it is short.
	cmd, out := start(t, `trap 'exit 3' TERM; echo up; while :; do sleep 0.1; done`)
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	procgroup.Terminate(cmd.Process.Pid)
	if _, err := io.ReadAll(out); err != nil {
		t.Error(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
}

// TestStart: nothing waits for a command that can't be started.
func TestStart(t *testing.T) {
	waited := false
	if err := procgroup.Start(exec.Command("/no/such/command"), func() { waited = true }); err == nil || waited {
		t.Errorf("%v, and wait was called: %t", err, waited)
	}
}
