package observe

import (
	"context"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios/suite"
)

// fakeUnit is a unit with one process, or with none.
type fakeUnit struct {
	chaos.Unit
	pid int
}

func (s *fakeUnit) Name() string    { return "worker[0]" }
func (s *fakeUnit) Service() string { return "worker" }
func (s *fakeUnit) PID() int        { return s.pid }

func (s *fakeUnit) Traits() chaos.UnitTraits { return chaos.UnitTraits{} }

// TestUsage watches a process with a child, its end, and its successor.
func TestUsage(t *testing.T) {
	shell := func() *exec.Cmd {
		ctx, cancel := context.WithCancel(context.Background())
		// The child keeps a processor busy; the parent waits for it.
		c := exec.CommandContext(ctx, "sh", "-c", "sh -c 'while :; do :; done' & wait")
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cancel(); _ = c.Wait() })
		return c
	}
	first := shell()
	unit := &fakeUnit{pid: first.Process.Pid}
	u := NewUsage([]chaos.Unit{unit})
	began := time.Now()
	tick := func() { u.units[0].tick(t.Context(), func() time.Duration { return time.Since(began) }) }
	tick()
	suite.Until(t, "a busy process uses a processor", func() bool {
		tick()
		return u.units[0].sum >= 50*time.Millisecond
	})
	got := u.Finish(nil)[0]
	if last := got.Seconds[len(got.Seconds)-1]; got.CPU <= 0 || got.Memory <= 0 || last.Threads < 2 || last.Files < 3 ||
		last.Starts != 1 || !last.Running || got.Via != "proc" {
		t.Errorf("%+v, in the last second %+v", got, last)
	}
	if err := syscall.Kill(-first.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	tick()
	unit.pid = 0
	tick()
	unit.pid = shell().Process.Pid
	tick()
	seconds := u.Finish(nil)[0].Seconds
	n := len(seconds)
	if seconds[n-3].Running || seconds[n-2].Running || seconds[n-2].Memory != 0 || !seconds[n-1].Running ||
		seconds[n-1].Starts != 2 {
		t.Errorf("after its end: %+v", seconds[n-3:])
	}
	none := NewUsage([]chaos.Unit{&fakeUnit{}})
	none.units[0].tick(t.Context(), func() time.Duration { return time.Second })
	if got := none.Finish(nil); got != nil {
		t.Errorf("of one that never ran: %+v", got)
	}
}
