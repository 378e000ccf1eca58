package vdso

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestTimeout_Stopped checks that the time in which brunt itself is stopped does not count against a process that is
// to be held still.
func TestTimeout_Stopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const stood = 40 * time.Second
		began, wait := time.Now(), newTimeout(patience)
		for !wait.over() {
			if time.Since(began) == 0 {
				time.Sleep(stood) // simulates a brunt that is stopped
			}
			time.Sleep(time.Millisecond) // simulates the time between two looks
		}
		if got := time.Since(began) - stood; got < patience-mostBetween || got > patience {
			t.Errorf("besides the stop it waited for %s, want %s", got, patience)
		}
	})
}
