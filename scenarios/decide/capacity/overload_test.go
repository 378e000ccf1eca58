package capacity

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
)

// TestOverload: the run of an overload makes the load, and twice the rate that broke until a queue is longer than
// clients wait. It injects no fault, and the escape waits until a plain backlog has drained.
func TestOverload(t *testing.T) {
	found := &search.Found{Low: 200, High: 208}
	var p *plan.Plan
	r := prober(t, &target{alone: 1000})
	r.Run = func(_ context.Context, made *plan.Plan, control bool) (*result.Result, error) {
		if p = made; !control {
			t.Error("it injects faults")
		}
		return &result.Result{
			Verdict: scenarios.Pass, Generator: result.Generator{Healthy: true}, Overload: &result.Overload{},
		}, nil
	}
	if _, err := r.Check(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Overload(t.Context(), 150, found); err != nil {
		t.Fatal(err)
	}
	l, judge := &p.Loads[0], p.Scenario.Judge
	from, last := p.Push.From, 12*time.Second // the default timeout, and 2 s
	if rate := l.Schedule.Rate; math.Abs(rate.At(0)-150) > 1e-6 || math.Abs(rate.At(from)-416) > 1e-6 ||
		p.End() != from+last || from < 5*time.Second {
		t.Errorf("%v/s, from %s %v/s, until %s", rate.At(0), from, rate.At(from), p.End())
	}
	// (416/s - 200/s) for 12 s is a backlog of 2592 requests, of which 200/s - 150/s are served beyond the load
	if want := 2 * 2592. / 50; math.Abs(p.Push.Wait.Seconds()-want) > .01 {
		t.Errorf("it waits %s, want %v s", p.Push.Wait, want)
	}
	// p95 < 100ms: an answer that takes longer is bad, and at most 5 % of them may be
	if !judge.Escape || judge.Slow.D() != 100*time.Millisecond || math.Abs(judge.LimitOr()-.05) > 1e-9 {
		t.Errorf("slow beyond %s, at most %v bad; escape %t", judge.Slow.D(), judge.LimitOr(), judge.Escape)
	}
	for _, c := range []struct {
		rate  float64
		found search.Found
		want  string
	}{
		{100, search.Found{Low: 200}, "raise --max"},
		{195, *found, "give a lower rate"},
		{300, *found, "give a lower rate"},
	} {
		if _, err := r.Overload(t.Context(), c.rate, &c.found); !errors.As(err, new(LoadError)) ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%v/s of %v/s: %v", c.rate, c.found.Low, err)
		}
	}
}
