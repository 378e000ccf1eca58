package timeline_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// waiting makes an entry wait for an operator.
func waiting(e *timeline.Entry, most time.Duration) *timeline.Entry {
	e.Wait = scenarios.Wait{For: "operator", AtMost: quantity.Duration(most)}
	return e
}

// TestTimeline_Operator: a fault that waits for an operator comes when it is continued, and is skipped with those that
// follow it if no operator continues it in time or the run ends before.
func TestTimeline_Operator(t *testing.T) {
	for _, c := range []struct {
		name                 string
		continued, cancelled time.Duration
		lines                string
		waited               time.Duration // of the error; zero: it came
	}{
		{"continued", 25 * time.Second, time.Hour, "+a@25s -a@35s +b@36s -b@37s", 0},
		{"at the first moment", 10*time.Second + 1, time.Hour, "+a@10.000000001s -a@20.000000001s +b@21.000000001s -b@22.000000001s", 0},
		{"no operator", time.Hour, 2 * time.Hour, "", time.Minute},
		{"too late", 70*time.Second + 1, 2 * time.Hour, "", time.Minute},
		{"the run ends", time.Hour, 40 * time.Second, "", 30 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			var events []string
			build := func(d *diary) []*timeline.Entry {
				b := entry("b", noted{diary: d, name: "b"}, 0, time.Second)
				b.At, b.After, b.Wait.By = nil, "a", quantity.Duration(time.Second)
				return []*timeline.Entry{
					waiting(entry("a", noted{diary: d, name: "a"}, 10*time.Second, 10*time.Second), time.Minute), b,
				}
			}
			lines, records := play(t, time.Hour, c.cancelled, build, func(tl *timeline.Timeline) {
				tl.Event = func(e result.Event) {
					mu.Lock()
					defer mu.Unlock()
					events = append(events, e.Event)
				}
				tl.Ready()
				time.AfterFunc(9*time.Second, func() {
					if err := tl.Continue("a", ""); err == nil || len(tl.Waits()) > 0 {
						t.Errorf("before its time: %v, %v", err, tl.Waits())
					}
				})
				time.AfterFunc(c.continued, func() {
					err := tl.Continue("a", "ann")
					if late := c.waited > 0; (err != nil) != late {
						t.Errorf("continued at %s: %v", c.continued, err)
					}
					if again := tl.Continue("a", "bob"); again == nil {
						t.Error("continued twice")
					}
				})
			})
			if got := strings.Join(lines, " "); got != c.lines {
				t.Errorf("%s, want %s", got, c.lines)
			}
			if len(events) == 0 || events[0] != "operator.waiting" {
				t.Errorf("events %q", events)
			}
			for i, r := range records {
				if r.Skipped != (c.waited > 0) || len(records) != 2 {
					t.Errorf("%d of %d: %s is skipped: %v", i, len(records), r.Name, r.Skipped)
				}
				if absent, ok := errors.AsType[timeline.AbsentError](r.InjectErr); ok && absent.Waited != c.waited {
					t.Errorf("waited %s, want %s", absent.Waited, c.waited)
				}
			}
		})
	}
}

// TestTimeline_Waits: a wait is listed with its times and the operator.
func TestTimeline_Waits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{began: time.Now()}
		now := func() time.Duration { return time.Since(d.began) }
		other := entry("other", noted{diary: d, name: "other"}, time.Second, time.Second)
		tl := &timeline.Timeline{
			Entries: []*timeline.Entry{
				waiting(entry("a", noted{diary: d, name: "a"}, 10*time.Second, time.Second), time.Minute), other,
			},
			Env: chaos.Env{Occurrence: chaos.Occurrence{Now: now}}, End: time.Hour, Journal: new(openEntries),
			Phases: timeline.Unmeasured(now),
		}
		tl.Ready()
		for _, name := range []string{"other", "unknown"} {
			if err := tl.Continue(name, ""); err == nil {
				t.Errorf("%s was continued", name)
			}
		}
		time.AfterFunc(15*time.Second, func() {
			w := tl.Waits()
			if len(w) != 1 || !w[0].GoesOn() || w[0].From != 10*time.Second || w[0].Until != 70*time.Second {
				t.Errorf("%+v", w)
			}
			if err := tl.Trigger("a"); err == nil {
				t.Error("a script continued it")
			}
			if err := tl.Continue("a", "ann"); err != nil {
				t.Error(err)
			}
		})
		tl.Play(context.WithoutCancel(t.Context()))
		if w := tl.Waits(); len(w) != 1 || w[0].GoesOn() || w[0].Continued != 15*time.Second || w[0].By != "ann" {
			t.Errorf("%+v", w)
		}
	})
}

// TestEstimate_Operator: a fault that waits for an operator is expected at the latest.
func TestEstimate_Operator(t *testing.T) {
	d := &diary{began: time.Now()}
	e := waiting(entry("a", noted{diary: d, name: "a"}, 10*time.Second, 5*time.Second), time.Minute)
	est := timeline.Estimate([]*timeline.Entry{e}, time.Hour)
	if len(est) != 1 || est[0].At != 70*time.Second || est[0].Clear != 75*time.Second || !est[0].Rough {
		t.Errorf("%+v", est)
	}
}
