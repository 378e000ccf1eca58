package judge_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
)

// TestSecond_Spans: burn and slices need spans of the run; a condition on them is unknown, and never
// judged by another number.
func TestSecond_Spans(t *testing.T) {
	g := newFixture(t, oneStep)
	for _, r := range perSecond(100, 0, sec, ms, failure) {
		g.Shard(0).Record(&r)
	}
	g.now = 2 * sec
	_, s := g.Interval()
	for _, o := range parseObjectives(t, "burn(99%, 1m) > 0", "burn(99%, 1m) < 100", "slices(1s, 99%) < 100%",
		"slices(1s, 99%) > 0%") {
		if holds, known := judge.HoldsIn(s, o); holds || known {
			t.Errorf("%s: %t, %t", o.Text, holds, known)
		}
		if holds, measured, _ := judge.Steady(g.Recorder, o); holds || !math.IsNaN(measured) {
			t.Errorf("%s: %t with %g", o.Text, holds, measured)
		}
	}
}

// TestSecond_Judge: stop conditions are judged by the requests that ended in an interval.
func TestSecond_Judge(t *testing.T) {
	texts := []string{
		"errors > 3%", "errors > 5%", "p95 > 50ms", "p95 > 200ms", "p99 > 1h", "availability < 97%", "timeouts >= 3",
		"rate < 100/s", "rate < 40/s", "max > 1h",
		"errors > 3% of write", "errors > 3% of load browse",
	}
	o := parseObjectives(t, texts...)
	g := newFixture(t, measure.Series{
		Loads: oneStep.Loads, Steps: []measure.SeriesStep{{Name: "read", Load: 0}, {Name: "write", Load: 0}},
	}, o...)
	for i := range 100 {
		r := request(500*ms, 10*ms, okay)
		if i < 10 {
			r = request(500*ms, 100*ms, okay)
		}
		if i >= 96 {
			r.Kind, r.Cause = failure, scenarios.Timeout
		}
		g.Shard(0).Record(&r)
		it := iteration(r)
		g.Shard(0).Record(&it)
	}
	g.now = 2 * sec
	_, s := g.Interval()
	for i, want := range []string{
		"holds", "does not", "holds", "does not", "holds", "holds", "holds", "holds", "does not", "holds", "unknown", "holds",
	} {
		holds, known := judge.HoldsIn(s, o[i])
		got := map[bool]string{true: "holds", false: "does not"}[holds]
		if !known {
			got = "unknown"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", o[i].Text, got, want)
		}
	}
	g.now = 3 * sec
	_, s = g.Interval()
	for i := range o {
		holds, known := judge.HoldsIn(s, o[i])
		if o[i].Metric.Name == "rate" {
			if !holds || !known { // no request ended
				t.Errorf("%s with nothing: %t, %t", o[i].Text, holds, known)
			}
			continue
		}
		if holds || known {
			t.Errorf("%s with nothing: %t, %t", o[i].Text, holds, known)
		}
	}
}

// TestRecorder_Steady: a condition is judged over the requests that ended before the
// first injection, whether their windows are open or on disk.
func TestRecorder_Steady(t *testing.T) {
	for _, seconds := range []int{5, 60} {
		t.Run(fmt.Sprintf("%d s", seconds), func(t *testing.T) {
			texts := []string{
				"errors < 2%", "errors < 1%", "p95 < 50ms", "p95 < 5ms", "rate > 90/s", "rate > 110/s",
				"errors < 2% of nothing", "within(20ms) > 90%",
			}
			o := parseObjectives(t, texts...)
			g := newFixture(t, oneStep, o...)
			end := time.Duration(seconds) * sec
			for _, c := range o {
				if holds, _, n := judge.Steady(g.Recorder, c); holds || n != 0 {
					t.Errorf("%s before anything ended: %t of %d", c.Text, holds, n)
				}
			}
			all := perSecond(100, 0, end+10*sec, 10*ms, okay)
			for i := range all {
				if i%100 == 0 {
					all[i] = request(all[i].Intended, 10*ms, failure)
				}
				if all[i].Intended >= end { // the fault makes all of them fail
					all[i] = request(all[i].Intended, 10*ms, failure)
				}
			}
			warm := perSecond(100, 1, sec, 10*ms, failure)
			for i := range warm {
				for _, at := range []*time.Duration{&warm[i].Intended, &warm[i].Ready, &warm[i].Slot, &warm[i].Sent, &warm[i].End} {
					*at -= 2 * sec
				}
			}
			all = append(all, warm...)
			for _, r := range slices.Clone(all) {
				all = append(all, iteration(r))
			}
			check := func(when string) {
				for i, want := range []struct {
					holds    bool
					measured float64
				}{
					{true, .01}, {false, .01}, {true, .01}, {false, .01}, {true, 100}, {false, 100}, {false, math.NaN()}, {true, .99},
				} {
					holds, measured, n := judge.Steady(g.Recorder, o[i])
					if holds != want.holds || math.Abs(measured-want.measured) > .01*want.measured {
						t.Errorf("%s, %s: %t with %g, want %t with %g", when, o[i].Text, holds, measured, want.holds, want.measured)
					}
					if most := int64(100 * seconds); n > most || n < most-2 && i != 6 {
						t.Errorf("%s, %s: %d requests, want %d", when, o[i].Text, n, most)
					}
				}
			}
			g.now = -2 * sec
			g.play(all, action{end, func() { check("at the injection"); g.Inject("f", "f") }})
			check("later")
		})
	}
}
