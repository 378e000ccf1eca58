package traces_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/observe/traces"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

const ms = time.Millisecond

// TestFind_SelfTimes computes the times of single requests by hand.
func TestFind_SelfTimes(t *testing.T) {
	root := scenarios.RootSpan(1)
	for _, c := range []struct {
		name    string
		took    time.Duration
		spans   []traces.Span
		self    map[string]float64 // milliseconds
		waiting map[string]float64
		outside float64
	}{
		{
			"one service", 30 * ms,
			[]traces.Span{{Service: "a", ID: 1, Parent: root, End: 20}},
			map[string]float64{"a": 20},
			nil, 10,
		},
		{
			"a call, and the time between", 100 * ms,
			[]traces.Span{
				{Service: "a", ID: 1, Parent: root, Begin: 0, End: 90},
				{Service: "a", ID: 2, Parent: 1, Call: true, Begin: 10, End: 80},
				{Service: "b", ID: 3, Parent: 2, Begin: 30, End: 60},
			},
			map[string]float64{"a": 20 + 40, "b": 30},
			map[string]float64{"a": 40},
			10,
		},
		{
			"two calls at once count once", 100 * ms,
			[]traces.Span{
				{Service: "a", ID: 1, Parent: root, Begin: 0, End: 100},
				{Service: "b", ID: 2, Parent: 1, Begin: 10, End: 50},
				{Service: "c", ID: 3, Parent: 1, Begin: 30, End: 70},
			},
			map[string]float64{"a": 40, "b": 40, "c": 40},
			nil, 0,
		},
		{
			"a child that outlives its parent", 50 * ms,
			[]traces.Span{
				{Service: "a", ID: 1, Parent: root, Begin: 0, End: 20},
				{Service: "b", ID: 2, Parent: 1, Begin: 10, End: 500},
			},
			map[string]float64{"a": 10, "b": 490},
			nil, 30,
		},
		{
			"times that are none", 50 * ms,
			[]traces.Span{
				{Service: "a", ID: 1, Parent: root, Begin: 20, End: 0},
				{Service: "a", ID: 2, Parent: 1, Begin: -1 << 40, End: 1 << 40},
				{Service: "a", ID: 3, Parent: 3, Begin: 5, End: 15}, // its own parent
			},
			map[string]float64{"a": 10},
			nil, 50,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := traces.NewBare([]uint64{high})
			for _, v := range c.spans {
				s.Add(high, 1, v)
				s.Add(high, 1, v) // sent again
			}
			asked(s, 1, 0, c.took)
			var got result.Traces
			traces.Sums(s, &got, whole, nil)
			p := got.Phases[0]
			if !near(p.Outside, result.Num(c.outside/1000)) || len(p.Services) != len(c.self) {
				t.Errorf("%+v", p)
			}
			for _, v := range p.Services {
				if !near(v.Self, result.Num(c.self[v.Service]/1000)) ||
					!near(v.Waiting, result.Num(c.waiting[v.Service]/1000)) {
					t.Errorf("%+v", v)
				}
			}
		})
	}
}

// TestFind_Whole: each trace is whole, or lacks something.
func TestFind_Whole(t *testing.T) {
	s := traces.NewBare([]uint64{high})
	front := func(low uint64) traces.Span {
		return traces.Span{Service: "front", ID: 1, Parent: scenarios.RootSpan(low), End: 10}
	}
	store := traces.Span{Service: "store", ID: 2, Parent: 1, End: 5}
	answer := func(low uint64, kind scenarios.Kind, answered bool) {
		s.Request(high, &scenarios.Outcome{
			Trace: low, Intended: time.Second, End: 2 * time.Second, Kind: kind, Answered: answered,
		})
	}
	s.Add(high, 1, front(1)) // whole
	s.Add(high, 1, store)
	answer(1, scenarios.OK, true)
	s.Add(high, 2, front(2)) // without store
	answer(2, scenarios.OK, true)
	s.Add(high, 3, front(3)) // without store, as the front refused it
	answer(3, scenarios.Error, true)
	s.Add(high, 4, store) // its parent is missing
	answer(4, scenarios.Error, true)
	answer(5, scenarios.OK, true)     // silent
	answer(6, scenarios.Error, false) // never answered
	s.Add(high+1, 7, front(7))        // of no request
	s.Add(high, 8, front(8))          // of a request that is not of the load, such as of setup
	s.Request(high, &scenarios.Outcome{Trace: 8, Intended: -time.Second, Kind: scenarios.OK, Answered: true})
	services := []string{"front", "store"}
	var got result.Traces
	traces.Sums(s, &got, nil, services)
	if got.Requests != 6 || got.Answered != 5 || got.Whole != 2 || got.Orphaned != 1 || got.Silent != 2 ||
		got.Foreign != 1 {
		t.Errorf("%+v", got)
	}
	if len(got.Missing) != 1 || got.Missing[0] != (result.ServiceCount{Service: "store", Count: 1}) {
		t.Errorf("missing %+v", got.Missing)
	}
	if n, of := s.Whole([]string{"front", "absent"}, 0, time.Minute); n != 1 || of != 5 {
		t.Errorf("%d of %d with a service that sends none", n, of)
	}
	if n, of := s.Whole(nil, 2*time.Second, time.Minute); n != 0 || of != 0 {
		t.Errorf("%d of %d after the last", n, of)
	}
}

// TestFind_Growth: the service that became slower, and no other, has a growth beyond chance; the slowest requests
// spent their time in its span.
func TestFind_Growth(t *testing.T) {
	s, r := traces.NewBare([]uint64{high}), rand.New(rand.NewPCG(1, 2))
	for i := range uint64(400) {
		low, at := i+1, time.Duration(i)*10*ms
		own, pool := 5+r.Int64N(5), 2+r.Int64N(4)
		if at >= 2*time.Second {
			pool += 40 + r.Int64N(20)
		}
		s.Add(high, low, traces.Span{
			Service: "front", Name: "GET", ID: 1, Parent: scenarios.RootSpan(low), End: own + pool,
		})
		s.Add(high, low, traces.Span{
			Service: "posts", Name: "pool", ID: 2, Parent: 1, Call: true, Begin: own, End: own + pool,
		})
		asked(s, low, at, time.Duration(own+pool+1)*ms)
	}
	fault := slo.Phase{Kind: slo.FaultPhase, Fault: "cut"}
	phases := []traces.Phase{
		{Name: slo.Phase{Kind: slo.BaselinePhase}, To: 2 * time.Second},
		{Name: fault, From: 2 * time.Second, To: 4 * time.Second},
	}
	var got result.Traces
	traces.Sums(s, &got, phases, nil)
	p := got.Phases[1]
	if got.Share != 1 || p.Phase != fault || p.Requests != 200 || p.Services[0].Service != "posts" ||
		!p.Services[0].Grew() || p.Services[1].Grew() || !near(p.Services[0].Self, p.Services[0].Waiting) {
		t.Errorf("%+v", p)
	}
	if low, high := p.Services[0].GrowthLow, p.Services[0].GrowthHigh; low < .04 || high > .06 {
		t.Errorf("growth %v to %v", low, high)
	}
	want := result.SlowestIn{Service: "posts", Span: "pool", Waiting: true, Count: 10}
	if p.OfSlowest != 10 || len(p.Slowest) != 1 || p.Slowest[0] != want {
		t.Errorf("%+v", p.Slowest)
	}
	if b := got.Phases[0]; b.Services[0].Grew() || b.Services[1].Grew() {
		t.Errorf("the baseline grew: %+v", b)
	}
}

// TestStore_Bounded: of more traces than it may keep, a store keeps a random part, each whole, and says how many.
func TestStore_Bounded(t *testing.T) {
	s := traces.NewBare([]uint64{high})
	s.SetMost(3000)
	for i := range uint64(10_000) {
		low := i + 1
		s.Add(high, low, traces.Span{Service: "a", ID: 1, Parent: scenarios.RootSpan(low), End: 1})
		asked(s, low, 0, 2*ms)
		s.Add(high, low, traces.Span{Service: "b", ID: 2, Parent: 1, End: 1})
	}
	var got result.Traces
	traces.Sums(s, &got, nil, []string{"a", "b"})
	if got.Requests+got.Spans > 3000 || got.Requests < 300 || got.Whole != got.Requests ||
		!near(got.Share, result.Num(float64(got.Requests)/10_000)) {
		t.Errorf("%+v", got)
	}
	for i := range uint64(2000) { // of one trace, and of many services
		s.Add(high, 1<<40, traces.Span{Service: string(rune('a' + i)), ID: i + 1})
	}
	var more result.Traces
	traces.Sums(s, &more, nil, nil)
	if more.Requests+more.Spans > 3000 || more.LeftOut != 1000 {
		t.Errorf("%+v", more)
	}
}
