package capacity_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/result/search"
)

// A server breaks above its capacity, which varies by noise, and has less capacity for some probes
// after a break.
type server struct {
	capacity  float64
	noise     float64 // of the capacity, from probe to probe
	generator float64 // the rate that the generator reaches; zero is no limit
	tired     float64 // share of the capacity lost by a break, until the server has cooled down
	cooled    int     // cool-downs that the server needs
	r         *rand.Rand
	hot       int
}

func (s *server) Probe(_ context.Context, rate float64) (search.Try, error) {
	c := s.capacity * (1 + s.noise*s.r.NormFloat64())
	if s.hot > 0 {
		c *= 1 - s.tired
	}
	switch {
	case s.generator > 0 && rate > s.generator:
		return search.Try{Answer: search.Limited, Why: "lag"}, nil
	case rate > c:
		s.hot = s.cooled
		return search.Try{Answer: search.Breaks, Why: "p95"}, nil
	}
	return search.Try{Answer: search.Holds, Why: ""}, nil
}

func (s *server) Glance(ctx context.Context, rate float64) (search.Try, error) {
	return s.Probe(ctx, rate)
}

func (s *server) CoolDown(context.Context) error {
	s.hot = max(0, s.hot-1)
	return nil
}

func TestFind(t *testing.T) {
	tests := []struct {
		name    string
		server  server
		o       capacity.Options
		within  float64 // of the capacity
		limited bool
	}{
		{name: "exact", server: server{capacity: 737}, o: capacity.Options{From: 10}, within: .03},
		{name: "from above", server: server{capacity: 37}, o: capacity.Options{From: 1000}, within: .03},
		{name: "noisy", server: server{capacity: 737, noise: .03}, o: capacity.Options{From: 10}, within: .1},
		{
			name: "tired after a break", server: server{capacity: 737, tired: .5, cooled: 1}, o: capacity.Options{From: 10},
			within: .03,
		},
		{name: "narrower", server: server{capacity: 737}, o: capacity.Options{From: 10, Precision: .005}, within: .005},
		{
			name: "the generator gives out", server: server{capacity: 1e6, generator: 3000}, o: capacity.Options{From: 10},
			limited: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(20) {
				srv := tt.server
				srv.r = rand.New(rand.NewPCG(seed, 1))
				f, err := capacity.Find(t.Context(), &srv, tt.o)
				if err != nil {
					t.Fatal(err)
				}
				if tt.limited {
					if f.Limited == 0 || f.High != 0 || f.Low > srv.generator || f.Low < srv.generator/1.05 {
						t.Errorf("seed %d: %+v; the generator can do %v", seed, f, srv.generator)
					}
					continue
				}
				if off := math.Abs(f.Middle()/srv.capacity - 1); off > tt.within || f.Low >= f.High {
					t.Errorf("seed %d: between %v and %v, %.1f %% off after %d probes", seed, f.Low, f.High, 100*off, len(f.Tries))
				}
			}
		})
	}
}

func TestFind_Max(t *testing.T) {
	srv := &server{capacity: 1e6, r: rand.New(rand.NewPCG(1, 1))}
	f, err := capacity.Find(t.Context(), srv, capacity.Options{From: 100, Max: 3000})
	if err != nil || f.Low != 3000 || f.High != 0 {
		t.Errorf("%+v, %v; want all of it to hold", f, err)
	}
	for _, try := range f.Tries {
		if try.Rate > 3000 {
			t.Errorf("tried %v, above the most", try.Rate)
		}
	}
}

func TestFind_NoRate(t *testing.T) {
	srv := &server{capacity: 0, r: rand.New(rand.NewPCG(1, 1))}
	if f, err := capacity.Find(t.Context(), srv, capacity.Options{From: 100}); !errors.Is(err, capacity.ErrNoRate) {
		t.Errorf("%+v, %v", f, err)
	}
	srv = &server{capacity: 1e6, generator: 1e-9, r: rand.New(rand.NewPCG(1, 1))} // brunt itself is late at each rate
	if _, err := capacity.Find(t.Context(), srv, capacity.Options{From: 100}); !errors.Is(err, capacity.ErrNoRate) ||
		!strings.HasSuffix(err.Error(), "/s: lag") {
		t.Error(err)
	}
}

// glanced counts the probes of a search beside its glances.
type glanced struct {
	breaks func(rate float64) bool
	probes int
	rates  []float64 // of glances
}

func (g *glanced) try(rate float64) (search.Try, error) {
	if g.breaks(rate) {
		return search.Try{Answer: search.Breaks, Why: "errors < 1%: 100%"}, nil
	}
	return search.Try{Answer: search.Holds}, nil
}

func (g *glanced) Probe(_ context.Context, rate float64) (search.Try, error) {
	g.probes++
	return g.try(rate)
}

func (g *glanced) Glance(_ context.Context, rate float64) (search.Try, error) {
	g.rates = append(g.rates, rate)
	return g.try(rate)
}

func (g *glanced) CoolDown(context.Context) error { return nil }

// TestFind_Begins: a target that breaks at every rate ends the search by glances alone, at each rate from the first one
// to the lowest, so that the interval decides the demanded rates above it. A low capacity is found without an overload,
// as is that of a target that is slow when it was idle.
func TestFind_Begins(t *testing.T) {
	for _, tt := range []struct {
		name    string
		breaks  func(rate float64) bool
		truth   float64 // zero: no rate holds
		glances int
	}{
		{"it breaks at every rate", func(float64) bool { return true }, 0, 11},
		{"some", func(r float64) bool { return r > 37 }, 37, 1},
		{"low", func(r float64) bool { return r > .5 }, .5, 5},
		{"the lowest", func(r float64) bool { return r > .2 }, .2, 6},
		{"slow when it was idle", func(r float64) bool { return r > 60 || r < 10 }, 60, 9},
	} {
		g := &glanced{breaks: tt.breaks}
		f, err := capacity.Find(t.Context(), g, capacity.Options{From: 100})
		if len(g.rates) != tt.glances {
			t.Errorf("%s: %d glances at %v; want %d", tt.name, len(g.rates), g.rates, tt.glances)
		}
		if tt.truth > 0 {
			if err != nil || f.Low > tt.truth || f.High < tt.truth || f.High > 1.05*f.Low {
				t.Errorf("%s: from %v to %v, %v; want %v", tt.name, f.Low, f.High, err, tt.truth)
			}
			continue
		}
		least := 100. / 512
		if want := "down to 0.1953/s: errors < 1%: 100%; mend"; !errors.Is(err, capacity.ErrNoRate) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if g.probes > 0 || f.High != least || len(f.Tries) != tt.glances || slices.Max(g.rates) != 100 {
			t.Errorf("%s: %d probes after glances at %v; it breaks from %v", tt.name, g.probes, g.rates, f.High)
		}
		c := search.Capacity{Found: *f, Interval: f.Bounds()}
		for rate, want := range map[float64]search.Fit{.5: search.TooMuch, .19: search.Uncertain} {
			if got := c.Demanded(rate).All; got != want {
				t.Errorf("%s: a demand of %v/s: %s, want %s; the interval is %+v", tt.name, rate, got, want, c.Interval)
			}
		}
	}
}

// TestFind_BusyBegin: glances that show nothing, as on a busy machine, do not begin a search of a whole target at a
// lower rate, and do not end one of a target whose higher rates were not seen.
func TestFind_BusyBegin(t *testing.T) {
	for name, tt := range map[string]struct {
		breaks func(rate float64) bool
		seen   func(rate float64) bool // by glances
		probes bool
	}{
		"whole":            {func(r float64) bool { return r > 370 }, func(r float64) bool { return r < 2 }, true},
		"bad, and seen":    {func(float64) bool { return true }, func(r float64) bool { return r < 30 }, false},
		"bad, half unseen": {func(float64) bool { return true }, func(r float64) bool { return r < 10 }, true},
	} {
		g := &glanced{breaks: tt.breaks}
		b := &busy{g, tt.seen}
		f, err := capacity.Find(t.Context(), b, capacity.Options{From: 100})
		if (g.probes > 0) != tt.probes || (name == "whole") != (err == nil) {
			t.Errorf("%s: %d probes, from %v to %v, %v", name, g.probes, f.Low, f.High, err)
		}
		if name == "whole" && f.Tries[0].Rate != 100 {
			t.Errorf("%s: it begins at %v", name, f.Tries[0].Rate)
		}
	}
}

// busy disturbs glances.
type busy struct {
	*glanced
	seen func(rate float64) bool
}

func (b *busy) Glance(ctx context.Context, rate float64) (search.Try, error) {
	if !b.seen(rate) {
		return search.Try{Answer: search.Disturbed, Why: "lag"}, nil
	}
	return b.glanced.Glance(ctx, rate)
}

type failing struct{ server }

func (f *failing) Probe(ctx context.Context, rate float64) (search.Try, error) {
	if rate > 300 {
		return search.Try{}, errors.New("no target")
	}
	return f.server.Probe(ctx, rate)
}

// TestFind_Ends: a search that ends early returns what it has found so far.
func TestFind_Ends(t *testing.T) {
	f, err := capacity.Find(t.Context(), &failing{server{capacity: 1000, r: rand.New(rand.NewPCG(1, 1))}},
		capacity.Options{From: 100})
	if err == nil || f.Low != 200 || len(f.Tries) == 0 {
		t.Errorf("%+v, %v", f, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := capacity.Find(ctx, &server{capacity: 1000, r: rand.New(rand.NewPCG(1, 1))},
		capacity.Options{From: 100}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, from := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := capacity.Find(t.Context(), &failing{}, capacity.Options{From: from}); err == nil {
			t.Errorf("begins at %v", from)
		}
	}
}

// TestFind_Disturbed: a disturbed probe does not count for or against the rate.
func TestFind_Disturbed(t *testing.T) {
	srv := &server{capacity: 737, r: rand.New(rand.NewPCG(1, 1))}
	n := 0
	f, err := capacity.Find(t.Context(), prober(func(ctx context.Context, rate float64) (search.Try, error) {
		if n++; n%4 != 0 {
			return search.Try{Answer: search.Disturbed, Why: "a neighbour"}, nil
		}
		return srv.Probe(ctx, rate)
	}), capacity.Options{From: 100})
	if err != nil || f.Limited != 0 || f.Low > 737 || f.High < 737 {
		t.Errorf("%+v, %v; want an interval around 737", f, err)
	}
	always := prober(func(_ context.Context, rate float64) (search.Try, error) {
		if rate > 500 {
			return search.Try{Answer: search.Disturbed, Why: "the generator, or so it seems"}, nil
		}
		return search.Try{Answer: search.Holds, Why: ""}, nil
	})
	if f, err = capacity.Find(t.Context(), always, capacity.Options{From: 100}); err != nil || f.High != 0 ||
		f.Low > 500 || f.Limited < 500 {
		t.Errorf("where it is disturbed again and again: %+v, %v", f, err)
	}
	for _, even := range []int{2, 4} {
		if _, err := capacity.Find(t.Context(), srv, capacity.Options{From: 100, Confirm: even}); err == nil ||
			!strings.Contains(err.Error(), fmt.Sprint(even+1)) {
			t.Errorf("a majority of %d: %v", even, err)
		}
	}
}

// TestSearch_Void: a probe whose run is invalid or inconclusive is repeated, in both searches. The third in a row ends
// the search with the exit code of that run. Any other end of a run ends the search at once.
func TestSearch_Void(t *testing.T) {
	searches := map[string]func(p capacity.RateProber) (low, high float64, err error){
		"find": func(p capacity.RateProber) (float64, float64, error) {
			f, err := capacity.Find(t.Context(), p, capacity.Options{From: 100})
			return f.Low, f.High, err
		},
		"tolerate": func(p capacity.RateProber) (float64, float64, error) {
			f, err := capacity.Tolerate(t.Context(), p, capacity.DoseOptions{To: 2000, Step: 1})
			return f.Low, float64(f.High), err
		},
	}
	for name, find := range searches {
		for _, tt := range []struct {
			void    func(n int) bool // whether the nth run shows nothing
			verdict scenarios.Verdict
			runs    int // in which the search ends without an answer; zero: it finds one
		}{
			{func(n int) bool { return n%3 != 0 }, scenarios.Invalid, 0},
			{func(n int) bool { return n > 4 }, scenarios.Invalid, 7},
			{func(n int) bool { return n > 4 }, scenarios.Inconclusive, 7},
			{func(n int) bool { return n > 4 }, scenarios.Broken, 5},
			{func(n int) bool { return n > 4 }, scenarios.NotReverted, 5},
		} {
			n := 0
			low, high, err := find(prober(func(_ context.Context, value float64) (search.Try, error) {
				if n++; tt.void(n) {
					return search.Try{}, capacity.ProbeError{Verdict: tt.verdict, Reason: "no proof"}
				}
				return search.Try{Answer: below(737, search.Holds, search.Breaks)(value)}, nil
			}))
			void := capacity.ProbeError{}
			switch errors.As(err, &void); {
			case tt.runs == 0 && (err != nil || low > 737 || high < 737):
				t.Errorf("%s: from %v to %v, %v", name, low, high, err)
			case tt.runs > 0 && (n != tt.runs || void.Verdict != tt.verdict):
				t.Errorf("%s: %v after %d runs; want %s after %d", name, err, n, tt.verdict, tt.runs)
			case tt.runs == 7 && !strings.HasPrefix(err.Error(), "3 probes in a row show nothing: no proof; mend that"):
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// A prober is a Prober whose CoolDown does nothing.
type prober func(ctx context.Context, rate float64) (search.Try, error)

func (p prober) Probe(ctx context.Context, rate float64) (search.Try, error) {
	return p(ctx, rate)
}

func (p prober) Glance(ctx context.Context, rate float64) (search.Try, error) { return p(ctx, rate) }
func (p prober) CoolDown(context.Context) error                               { return nil }

func ExampleFind() {
	srv := &server{capacity: 500, r: rand.New(rand.NewPCG(1, 1))}
	f, _ := capacity.Find(context.Background(), srv, capacity.Options{From: 100})
	fmt.Printf("between %.0f/s and %.0f/s\n", f.Low, f.High)
	// Output: between 497/s and 508/s
}
