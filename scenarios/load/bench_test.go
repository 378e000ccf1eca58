package load

import (
	"context"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
)

// instant is a user whose target answers at once.
type instant struct{}

func (instant) Close() error { return nil }

func (instant) Do(it *template.Iter, _ scenarios.Call, out *scenarios.Outcome) {
	out.Slot, out.Sent, out.First, out.End = it.Intended, it.Intended, it.Intended, it.Intended
	out.WasSent, out.Answered = true, true
}

type nowhere struct{ n int64 }

func (s *nowhere) Record(*scenarios.Outcome) { s.n++ }

func single(flows ...Flow) (*Run, *nowhere) {
	sink := &nowhere{}
	p := NewProfile(0)
	p.Add(time.Hour, 1e6, 1e6)
	return &Run{Settings: Settings{
		Name: "a", Plan: Plan{Rate: p}, Flows: flows, Timeout: 1 << 60, Grace: time.Second, MaxInFlight: 4, Seed: 1,
		Pacing: "sleep", Shards: 1,
		Now: func() time.Duration { return time.Hour }, Env: &template.Env{},
		Open: func(int) (User, EndIteration, error) { return instant{}, nil, nil },
		Sink: func(int) Sink { return sink },
	}}, sink
}

func TestIterate_DoesNotAllocate(t *testing.T) {
	for _, c := range []struct {
		name  string
		flows []Flow
	}{
		{"one step", []Flow{{1, []Step{step(0, "a")}}}},
		{"mix of two steps", []Flow{{1, []Step{step(0, "a"), step(1, "b")}}, {1, []Step{step(2, "c")}}}},
	} {
		run, sink := single(c.flows...)
		for _, f := range c.flows {
			run.weights = append(run.weights, f.Weight)
		}
		v, err := run.newVU(0)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		if allocs := testing.AllocsPerRun(1000, func() {
			v.serve(context.Background(), job{n: n}, 0)
			n++
		}); allocs != 0 {
			t.Errorf("%s: %v allocations per iteration", c.name, allocs)
		}
		if sink.n < 2000 {
			t.Errorf("%s: %d outcomes", c.name, sink.n)
		}
	}
}

func BenchmarkIterate(b *testing.B) {
	b.ReportAllocs()
	run, _ := single(Flow{1, []Step{step(0, "a")}})
	v, err := run.newVU(0)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		v.serve(context.Background(), job{n: 1}, 0)
	}
}

// BenchmarkOpen_Arrival measures an arrival from the schedule to its worker; the target answers at once.
func BenchmarkOpen_Arrival(b *testing.B) {
	b.ReportAllocs()
	run, _ := single(Flow{1, []Step{step(0, "a")}})
	p := NewProfile(0)
	p.Add(time.Duration(b.N)*time.Microsecond, 1e6, 1e6)
	run.Plan.Rate = p
	now := p.End()
	run.Now = func() time.Duration { return now }
	b.ResetTimer()
	if _, err := run.Go(context.Background()); err != nil {
		b.Fatal(err)
	}
}
