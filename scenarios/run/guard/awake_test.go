package guard

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/timeline"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
)

// TestAwake_SlowUndo checks that a run learns of what its watchdog took back, also where the undo took longer than the
// watchdog usually works after brunt goes on: the watchdog notes when it begins. A freeze too short to note
// does not count.
func TestAwake_SlowUndo(t *testing.T) {
	for _, c := range []struct {
		frozen time.Duration
		want   bool
	}{{12 * time.Second, true}, {2 * time.Second, true}, {500 * time.Millisecond, false}} {
		const undo = 25 * time.Second
		ops := chaos.OperationsOf([]chaos.Operation{{
			Name: "slow",
			Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
				time.Sleep(undo) // simulates an undo that takes long
				return chaos.Reverted, nil
			},
		}})
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
			var frozen []measure.Freeze
			a := &Awake{
				log: log, cancel: cancel, journal: j, began: time.Now(), timeline: func() *timeline.Timeline { return nil },
				freezes: func() []measure.Freeze { return frozen }, asleep: func() time.Duration { return 0 },
			}
			in, out := io.Pipe()
			done := make(chan error, 1)
			go func() { done <- journal.RunWatchdog(ops, in, j.Path()) }() // it hears nothing for 10 s
			time.Sleep(12 * time.Second)
			frozen = []measure.Freeze{{From: 12*time.Second - c.frozen, To: 12 * time.Second}}
			a.examine(false, false)
			time.Sleep(undo + readEvery)
			a.examine(false, false)
			if got := errors.As(context.Cause(ctx), new(TargetGoneError)); got != c.want {
				t.Errorf("after %s: the run knows that its target is gone: %v, want %v (%v)", c.frozen, got, c.want,
					context.Cause(ctx))
			}
			_ = out.Close()
			<-done
		})
	}
}

// TestAwake_Suspended checks that a run notices that its machine was suspended, by a clock that goes on meanwhile,
// though its own clock shows no gap: it asks the journal what a watchdog took back. A wall clock that is set, and a
// short sleep, are no suspension.
func TestAwake_Suspended(t *testing.T) {
	for _, c := range []struct {
		name   string
		asleep time.Duration
		want   bool
	}{{"a laptop whose lid was closed", 5 * time.Minute, true}, {"for a moment", 500 * time.Millisecond, false}} {
		t.Run(c.name, func(t *testing.T) {
			ops := chaos.OperationsOf([]chaos.Operation{{
				Name: "undo", ByEngine: true,
				Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
					return chaos.Reverted, nil
				},
			}})
			j, err := journal.Open(ops, t.TempDir(), "r")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := j.Intent(chaos.Intent{What: "the target", Undo: []chaos.Undo{{Op: "undo"}}}); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				var seen []result.Event
				log := events.New(events.Options{Event: func(e result.Event) { seen = append(seen, e) }})
				log.Begin(time.Now())
				asleep := time.Hour // before brunt was started
				a := &Awake{
					log: log, cancel: cancel, journal: j, began: time.Now(), timeline: func() *timeline.Timeline { return nil },
					freezes: func() []measure.Freeze { return nil }, asleep: func() time.Duration { return asleep }, slept: asleep,
				}
				time.Sleep(3 * time.Second)
				a.examine(false, false)
				if err := j.RevertedBeside(time.Now()); err != nil { // a watchdog on another machine, which was not suspended
					t.Fatal(err)
				}
				asleep += c.asleep
				time.Sleep(awakeEvery)
				a.examine(false, false)
				if got := errors.As(context.Cause(ctx), new(TargetGoneError)); got != c.want {
					t.Errorf("the run knows that its target is gone: %v, want %v (%v)", got, c.want, context.Cause(ctx))
				}
				noted := slices.ContainsFunc(seen, func(e result.Event) bool {
					return e.Event == "brunt.frozen" &&
						strings.Contains(e.Text, "5m")
				})
				if noted != c.want {
					t.Errorf("noted: %v, want %v: %v", noted, c.want, seen)
				}
			})
		})
	}
}
