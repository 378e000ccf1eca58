package judge_test

import (
	"slices"
	"testing"
	"time"

	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
)

// TestFailing: a baseline fails where its share of bad requests is beyond doubt above the limit and
// above what every objective on it allows.
func TestFailing(t *testing.T) {
	series := measure.Series{Loads: oneStep.Loads, Steps: []measure.SeriesStep{{Name: "read"}, {Name: "write"}}}
	for _, c := range []struct {
		name       string
		bad, n     int // of each step
		objectives []string
		want       bool
	}{
		{"no requests", 0, 0, nil, false},
		{"all good", 0, 200, nil, false},
		{"all bad", 200, 200, nil, true},
		{"one request of each step, both bad", 1, 1, nil, true},
		{"at the limit", 3, 200, nil, false},
		{"above the limit", 20, 200, nil, true},
		{"allowed by the objective", 20, 200, []string{"errors < 15%"}, false},
		{"allowed in the baseline", 20, 200, []string{"availability > 85% in baseline"}, false},
		{"allowed in a fault alone", 20, 200, []string{"errors < 15% in f"}, true},
		{"the strictest objective counts", 20, 200, []string{"errors < 15%", "p50 < 1s", "errors < 2%"}, true},
		{"a percentile allows its share", 20, 200, []string{"p50 < 1s"}, false},
		{"an objective on good answers allows nothing", 20, 200, []string{"ok.p50 < 1s"}, true},
		{"failures are what is wanted", 200, 200, []string{"errors > 50%"}, false},
		{"above the objective", 60, 200, []string{"errors < 15%"}, true},
		{"allowed at each step", 20, 200, []string{"errors < 15% of read", "errors < 15% of write"}, false},
		{"allowed at one of two steps", 20, 200, []string{"errors < 11% of read"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newFixture(t, series)
			for step := range series.Steps {
				for _, x := range slices.Concat(many(c.n-c.bad, ms, okay), many(c.bad, ms, failure)) {
					x.Step = int32(step)
					g.Shard(0).Record(&x)
				}
			}
			g.now = 2 * sec
			f, failing := judge.Failing(g.Recorder, .01, parseObjectives(t, c.objectives...), true)
			if failing != c.want || f.Bad != int64(2*c.bad) || f.N != int64(2*c.n) {
				t.Errorf("failing is %t with %+v, want %t", failing, f, c.want)
			}
		})
	}
}

// TestFailing_Hung: a baseline whose requests are all still under way after a second fails, because it
// shows nothing about the faults.
func TestFailing_Hung(t *testing.T) {
	for _, c := range []struct {
		name     string
		at       time.Duration
		ended    int
		inFlight int64
		want     bool
	}{
		{"all hang", 3 * sec, 0, 40, true},
		{"one has ended", 3 * sec, 1, 40, false},
		{"the load has not begun", 3 * sec, 0, 0, false},
		{"too early to say", 300 * ms, 0, 40, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newFixture(t, oneStep)
			g.inFlight = func() int64 { return c.inFlight }
			for i := range c.ended {
				o := request(time.Duration(i)*ms, ms, okay)
				g.Shard(0).Record(&o)
			}
			g.now = c.at
			if f, failing := judge.Failing(g.Recorder, .01, nil, true); failing != c.want || failing && f.Hung != 40 {
				t.Errorf("failing %t: %+v", failing, f)
			}
		})
	}
}
