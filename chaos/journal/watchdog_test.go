package journal

import (
	"errors"
	"os/exec"
	"testing"

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
