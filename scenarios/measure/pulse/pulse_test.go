package pulse_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios/measure/pulse"
)

// TestPulse: a span in which nothing of brunt ran is a freeze with its length, also for whoever asks
// before the pulse has woken up. Short delays are none, nor is the time after the end.
func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, stopped := time.Now(), time.Duration(0)
		p := pulse.New(func() time.Duration { return time.Since(began) + stopped })
		time.Sleep(time.Second)
		if list := p.Freezes(); len(list) > 0 {
			t.Errorf("freezes of a brunt that ran: %v", list)
		}
		stopped = 420 * time.Millisecond // SIGSTOP: the clock goes on and no goroutine runs
		want := []pulse.Freeze{{From: time.Second, To: 1420 * time.Millisecond}}
		if list := p.Freezes(); !slices.Equal(list, want) {
			t.Errorf("freezes: %v, want %v", list, want)
		}
		time.Sleep(time.Second)
		p.Stop()
		time.Sleep(time.Second)
		if list := p.Freezes(); !slices.Equal(list, want) {
			t.Errorf("freezes at the end: %v, want %v", list, want)
		}
	})
}
