package judge_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
)

// TestSlowest: the five slowest answered requests of each step are kept, and three of each fault.
func TestSlowest(t *testing.T) {
	g := newFixture(t, measure.Series{
		Loads: []measure.SeriesLoad{{Name: "browse"}}, Steps: []measure.SeriesStep{{Name: "read"}, {Name: "write"}},
	})
	record := func(step int32, at, took time.Duration, kind scenarios.Kind) {
		o := request(at, took, kind)
		o.Step, o.Trace, o.Answered = step, uint64(took/ms), kind != skipped && took != 900*ms
		g.Shard(0).Record(&o)
	}
	record(0, -sec, 800*ms, okay)
	for i := range 20 {
		record(0, sec, time.Duration((i*7)%20+1)*10*ms, okay)
	}
	record(0, sec, 900*ms, failure)
	record(0, sec, 300*ms, failure)
	record(1, sec, 5*ms, shed)
	g.now = 2 * sec
	n, _ := g.Inject("cut", "cut")
	g.now = 3 * sec
	for i := range 4 {
		record(0, 2*sec+100*ms, time.Duration(i+1)*ms, okay)
	}
	g.Clear(n)
	g.now = 4 * sec
	f, err := judge.Judge(g.Finish(), judge.Case{
		Loads:   []requests.Span{{To: 4 * sec}},
		TraceID: func(load int, low uint64) scenarios.TraceID { return scenarios.NewTraceID(uint64(load), low) },
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range f.Slowest {
		if want := scenarios.NewTraceID(0, uint64(float64(s.Response)*1000+.5)).String(); s.Trace != want ||
			s.Load != "browse" {
			t.Errorf("%+v: trace %s", s, want)
		}
		got = append(got, fmt.Sprintf("%s %gms %s %d %v", s.Step, float64(s.Response)*1000, s.Outcome, s.Status, s.Faults))
	}
	want := []string{
		"read 300ms error 500 []", "read 200ms ok 0 []", "read 190ms ok 0 []", "read 180ms ok 0 []", "read 170ms ok 0 []",
		"read 4ms ok 0 [cut]", "read 3ms ok 0 [cut]", "read 2ms ok 0 [cut]", "write 5ms shed 0 []",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
