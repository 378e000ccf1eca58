package measure

import (
	"reflect"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// TestInterval_Steps: an interval reports for each step what ended in it, without the warm-up, and
// starts from zero with the next. It leaves out a step without a name.
func TestInterval_Steps(t *testing.T) {
	g := newClocked(t, Config{Series: Series{
		Loads: []SeriesLoad{{Name: "browse"}},
		Steps: []SeriesStep{{Name: "read"}, {Name: "write"}, {}},
	}, BySteps: true})
	record := func(step int32, at, d time.Duration, kind scenarios.Kind) {
		o := request(at, d, kind)
		o.Step = step
		g.Shard(0).Record(&o)
	}
	record(0, -900*ms, ms, okay)
	record(0, 0, ms, okay)
	record(0, 0, ms, okay)
	record(0, 0, 3*ms, failure)
	record(0, 0, 0, skipped)
	record(1, 0, 4*ms, shed)
	it := iteration(request(0, ms, okay))
	g.Shard(1).Record(&it)
	g.now = sec
	_, second := g.Interval()
	first := func(d time.Duration) (t [scenarios.RequestPhases]time.Duration) {
		t[scenarios.InFirstByte] = d
		return t
	}
	want := []result.StepInterval{{
		Load: "browse", Step: "read", Kinds: [scenarios.Kinds]int64{2, 0, 1, 1}, Causes: map[string]int64{"status 500": 1},
		Total:   5 * ms,
		Took:    []result.TimeBucket{{Low: ms, High: ms, N: 2}, {Low: 3 * ms, High: 3*ms + time.Microsecond, N: 1}},
		Timings: first(5 * ms),
	}, {
		Load: "browse", Step: "write", Kinds: [scenarios.Kinds]int64{0, 1}, Total: 4 * ms,
		Took: []result.TimeBucket{{Low: 4 * ms, High: 4*ms + time.Microsecond, N: 1}}, Timings: first(4 * ms),
	}}
	if got := second.Steps(scenarios.Causes{}); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	g.Name(2, "named")
	record(2, sec, ms, okay)
	g.now = 2 * sec
	_, second = g.Interval()
	want = []result.StepInterval{{Load: "browse", Step: "read"}, {Load: "browse", Step: "write"}, {
		Load: "browse", Step: "named", Kinds: [scenarios.Kinds]int64{1}, Total: ms,
		Took:    []result.TimeBucket{{Low: ms, High: ms, N: 1}},
		Timings: first(ms),
	}}
	if got := second.Steps(scenarios.Causes{}); !reflect.DeepEqual(got, want) {
		t.Errorf("the next one:\ngot  %+v\nwant %+v", got, want)
	}
}
