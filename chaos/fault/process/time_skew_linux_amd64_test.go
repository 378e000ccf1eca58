package process

import (
	"bufio"
	"context"
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
	"brunt/chaos/stress"
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
	if len(os.Args) > 1 && os.Args[1] == "burn" {
		_ = stress.Run(os.Stdin, os.Stdout)
		return
	}
	os.Exit(m.Run())
}

// sleeping starts a process, which ends with the test.
func sleeping(t *testing.T) proc.Process {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	p := proc.ProcessOf(cmd.Process.Pid)
	// after its execve(2), which replaces the code
	suite.Until(t, "the program to run", func() bool { p = proc.ProcessOf(p.PID); return p.Name == "sleep" })
	return p
}

// skewing is a time.skew of a unit with some processes, the main one first.
func skewing(t *testing.T, family ...proc.Process) *timeSkew {
	t.Helper()
	suite.Needs(t, suite.Root)
	image, err := vdso.Image(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	patch, err := vdso.Of(image, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s := &timeSkew{
		Victim: victim.Victim{
			Unit: container.Target{Unit: named{}}, ID: family[0].Identity(), Point: func(string) {},
		},
		patch: patch, offset: time.Hour, family: family,
		burn: victim.StressorsOf(chaos.Host{Stress: []string{os.Args[0], "burn"}}),
	}
	t.Cleanup(func() {
		if _, err := s.Revert(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestTimeSkew_OtherProgram has a process of the unit, other than the main one, execute another program after the
// injection: that voids no proof.
func TestTimeSkew_OtherProgram(t *testing.T) {
	s := skewing(t, sleeping(t), sleeping(t))
	if _, err := s.Inject(t.Context()); err != nil {
		t.Fatal(err)
	}
	restore := func(p proc.Process) {
		if _, err := vdso.Restore(p.PID, s.patch); err != nil {
			t.Fatal(err)
		}
	}
	restore(s.family[1]) // as execve(2) does
	if said, err := s.Verify(t.Context()); err != nil && !errors.As(err, new(chaos.NotShownError)) {
		t.Errorf("%q, %v", said, err)
	}
	restore(s.family[0])
	if lacks := s.Traits().Lacks(t.Context()); lacks != "" {
		t.Errorf("with the machine's clock in the main process, its processes lack %q", lacks)
	}
	if said, err := s.Verify(t.Context()); !errors.Is(err, chaos.ErrNoEffect) {
		t.Errorf("with the machine's clock in the main process: %q, %v", said, err)
	}
}

// TestTimeSkew_MainEnds has the main process end during the injection: the caller can revert the others.
func TestTimeSkew_MainEnds(t *testing.T) {
	ended := sleeping(t)
	s := skewing(t, ended, sleeping(t))
	s.Point = func(string) { // after the first one
		_ = syscall.Kill(ended.PID, syscall.SIGKILL)
		suite.Until(t, "the main process to end", func() bool { return !ended.Identity().Alive() })
	}
	h, err := s.Inject(t.Context())
	if !errors.Is(err, proc.ErrEnded) || h == nil {
		t.Fatalf("%v, %v", h, err)
	}
	if _, err := h.Revert(t.Context()); err != nil {
		t.Fatal(err)
	}
	if state, err := vdso.StateOf(s.family[1].PID, s.patch); state != vdso.Clean || err != nil {
		t.Errorf("the clock of the other: %v, %v", state, err)
	}
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
