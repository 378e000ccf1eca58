package watchdog

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/scenarios/measure/pulse"
	"brunt/scenarios/run/events"
)

// TestAwake_SlowUndo checks that a run learns of what its watchdog took back, also where the undo took longer than
// the watchdog usually works after brunt goes on: the watchdog notes when it begins. A freeze too short to note is none.
func TestAwake_SlowUndo(t *testing.T) {
	for _, c := range []struct {
		frozen time.Duration
		want   bool
	}{{12 * time.Second, true}, {2 * time.Second, true}, {500 * time.Millisecond, false}} {
		const undo = 25 * time.Second
		ops := chaos.OperationsOf([]chaos.Operation{{Name: "slow", Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
			time.Sleep(undo) // simulates an undo that takes long
			return chaos.Reverted, nil
		}}})
		j, err := journal.Open(ops, t.TempDir(), "r")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Intent(chaos.Intent{What: "the target", Undo: []chaos.Undo{{Op: "slow"}}}); err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			log := events.New(events.Options{})
			log.Begin(time.Now())
			var frozen []pulse.Freeze
			a := &Awake{
				log: log, cancel: cancel, journal: j, began: time.Now(), timeline: func() *chaos.Timeline { return nil },
				freezes: func() []pulse.Freeze { return frozen },
			}
			in, out := io.Pipe()
			done := make(chan error, 1)
			go func() { done <- journal.RunWatchdog(ops, in, j.Path()) }() // it hears nothing for 10 s
			time.Sleep(12 * time.Second)
			frozen = []pulse.Freeze{{From: 12*time.Second - c.frozen, To: 12 * time.Second}}
			a.examine(false, false)
			time.Sleep(undo + readEvery)
			a.examine(false, false)
			if got := errors.As(context.Cause(ctx), new(TargetGoneError)); got != c.want {
				t.Errorf("after %s: the run knows that its target is gone: %v, want %v (%v)", c.frozen, got, c.want, context.Cause(ctx))
			}
			_ = out.Close()
			<-done
		})
	}
}
