package journal

import (
	"errors"
	"io"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
)

// TestWatchdog_OfEachRun checks that the watchdogs of all runs in this process are protected from faults
// while they live.
func TestWatchdog_OfEachRun(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("needs a shell")
	}
	var all [2]*Watchdog
	for i := range all {
		g, err := StartWatchdog([]string{"sh", "-c", "read -r all"}, "")
		if err != nil {
			t.Fatal(err)
		}
		all[i] = g
	}
	held := func(want ...bool) {
		t.Helper()
		for i, g := range all {
			if got := errors.Is(proc.Protect(g.cmd.Process.Pid), proc.ErrProtected); got != want[i] {
				t.Errorf("watchdog %d is kept from faults: %v, want %v", i, got, want[i])
			}
		}
	}
	held(true, true)
	_ = all[1].Stop() // a shell reads no complete line
	held(true, false)
	_ = all[0].Stop()
	held(false, false)
}

// TestWatchdog_Deadline checks that an entry is reverted soon after its deadline while brunt beats, and
// that one without a deadline, or with a later one, stays.
func TestWatchdog_Deadline(t *testing.T) {
	j := openJournal(t, t.TempDir(), "r")
	_, due := sleeper(t)
	_, later := sleeper(t)
	_, ever := sleeper(t)
	synctest.Test(t, func(t *testing.T) {
		for _, e := range []struct {
			id  proc.Identity
			end time.Time
		}{{due, time.Now().Add(2 * time.Second)}, {later, time.Now().Add(time.Hour)}, {ever, time.Time{}}} {
			in := chaos.Intent{Fault: "f", What: "stop it", Undo: []chaos.Undo{{Op: continueOp, Identity: e.id.Raw()}}, Deadline: e.end}
			if _, err := j.Intent(in); err != nil {
				t.Fatal(err)
			}
			if err := proc.Signal(e.id, "STOP"); err != nil {
				t.Fatal(err)
			}
		}
		in, out := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- RunWatchdog(testOperations(), in, j.Path()) }()
		for range 2*patience/heartbeat + 5 {
			time.Sleep(heartbeat) // of the bubble's clock
			if _, err := out.Write([]byte{heartbeatByte}); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = out.Write([]byte{doneByte})
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = out.Close()
	})
	if err := proc.Await(t.Context(), 10*time.Second, func() bool { return !proc.IsStopped(due.PID) }, ""); err != nil {
		t.Error("what was overdue was not taken back")
	}
	for _, id := range []proc.Identity{later, ever} {
		if !proc.IsStopped(id.PID) {
			t.Errorf("pid %d was taken back before its time", id.PID)
		}
		if err := proc.Signal(id, "CONT"); err != nil {
			t.Error(err)
		}
	}
}
