package process

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/vdso"
	"brunt/chaos/victim"
	"brunt/scenarios/suite"
)

// TestMain lets the test binary be the program whose clock is set off.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "vforks" {
		in := bufio.NewScanner(os.Stdin)
		fmt.Println("here")
		in.Scan()
		runtime.LockOSThread()
		vfork()
		in.Scan()
		return
	}
	os.Exit(m.Run())
}

// vfork starts a child for which this thread waits in the kernel, and which stops itself.
func vfork() {
	child, _, _ := syscall.RawSyscall(syscall.SYS_CLONE, syscall.CLONE_VFORK|uintptr(syscall.SIGCHLD), 0, 0)
	if child != 0 {
		return
	}
	self, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
	_, _, _ = syscall.RawSyscall(syscall.SYS_KILL, self, uintptr(syscall.SIGSTOP), 0)
	_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
}

// TestUndo_StoppedChild checks that a clock is set right at the first attempt where a dead brunt left a process stopped
// whose parent waits for it in the kernel.
func TestUndo_StoppedChild(t *testing.T) {
	suite.Needs(t, suite.Root)
	cmd := exec.Command(os.Args[0], "vforks")
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	t.Cleanup(func() {
		for _, p := range proc.Family(pid) {
			_ = syscall.Kill(p, syscall.SIGKILL)
		}
		_ = cmd.Wait()
	})
	if !bufio.NewScanner(out).Scan() {
		t.Fatal("it has ended")
	}
	id, err := proc.Identify(pid)
	if err != nil {
		t.Fatal(err)
	}
	image, err := vdso.Image(pid)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := vdso.Of(image, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vdso.Apply(pid, patch); err != nil {
		t.Fatal(err)
	}
	held := &timeSkew{Victim: victim.Victim{Unit: container.Target{Unit: named{}}, ID: id}, patch: patch}
	if early := held.Traits().Ended(t.Context()); early != nil {
		t.Errorf("while its clock is ahead: %v", early)
	}
	fmt.Fprintln(in)
	suite.Until(t, "its child to be stopped while it waits for it", func() bool {
		all := proc.Family(pid)
		return len(all) == 2 && proc.IsStopped(all[1]) && waitsInKernel(pid)
	})
	args, _ := json.Marshal(patch)
	did, err := clockOperations()[0].Do(t.Context(), chaos.Undo{Op: opClock, Args: args, Identity: id.Raw()})
	if did != chaos.Reverted || err != nil {
		t.Errorf("%s, %v", did, err)
	}
	if state, err := vdso.StateOf(pid, patch); state != vdso.Clean || err != nil {
		t.Errorf("its clock: %v, %v", state, err)
	}
	if early := held.Traits().Ended(t.Context()); !errors.As(early, new(chaos.EndedEarlyError)) {
		t.Errorf("after another process set its clock right: %v", early)
	}
}

// named is a unit that has a name alone.
type named struct{ chaos.Unit }

func (named) Name() string { return "web" }

// waitsInKernel reports whether a thread of a process is in a state that no signal ends.
func waitsInKernel(pid int) bool {
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, task := range tasks {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/stat", pid, task.Name()))
		if _, after, _ := strings.Cut(string(b), ") "); strings.HasPrefix(after, "D") {
			return true
		}
	}
	return false
}
