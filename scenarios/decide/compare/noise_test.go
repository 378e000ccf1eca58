package compare_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/decide/compare"
	"brunt/scenarios/result"
)

// quiet is the noise of n runs of a quiet machine.
func quiet(r *rand.Rand, n int) compare.NoiseNorm {
	var out compare.NoiseNorm
	vary := func(x float64) result.Num { return result.Num(x * math.Exp(.1*r.NormFloat64())) }
	for range n {
		out = append(out, compare.Noise{
			Lag: vary(.28e-3), Steal: 0, Pressure: vary(.02), Probe: vary(.12e-3), Slowest: vary(.2e-3),
		})
	}
	return out
}

// TestNorm_Exceeded raises one figure after the other.
func TestNorm_Exceeded(t *testing.T) {
	norm := quiet(rand.New(rand.NewPCG(1, 1)), 24)
	calm := compare.Noise{Lag: .3e-3, Steal: 0, Pressure: .02, Probe: .12e-3, Slowest: .2e-3}
	for _, tt := range []struct {
		name   string
		spoil  func(n *compare.Noise)
		text   string // what it begins with; empty: it is within
		byLoad bool
	}{
		{"nothing", func(*compare.Noise) {}, "", false},
		{"a little lag", func(n *compare.Noise) { n.Lag = .6e-3 }, "", false},
		{"lag", func(n *compare.Noise) { n.Lag = 4.1e-3 }, "brunt's own lag (p99) 4.1ms, in the history typically ", true},
		{"steal", func(n *compare.Noise) { n.Steal = .05 }, "stolen CPU time 5%", false},
		{"pressure", func(n *compare.Noise) { n.Pressure = .4 }, "CPU pressure 40%", true},
		{"the probe", func(n *compare.Noise) { n.Probe = .3e-3 }, "the calibration probe (median) 300µs", false},
		{
			"its tail and lag", func(n *compare.Noise) { n.Slowest, n.Lag = 2e-3, 50e-3 }, "the calibration probe (p95) 2ms",
			false,
		},
		{"a figure that is not known", func(n *compare.Noise) { n.Pressure = result.NaN }, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := calm
			tt.spoil(&now)
			got := norm.Exceeded(now)
			want := result.No
			if tt.text != "" {
				want = result.Yes
			}
			if got.Answer != want || !strings.HasPrefix(got.Text, tt.text) || (got.Text == "") != (tt.text == "") ||
				got.ByLoad != tt.byLoad {
				t.Errorf("%+v, want %q, by load %t", got, tt.text, tt.byLoad)
			}
			if few := norm[:compare.LeastNoise-1].Exceeded(now); few != (compare.NoiseExcess{}) {
				t.Errorf("a history of %d runs says %+v", compare.LeastNoise-1, few)
			}
		})
	}
}

// TestNorm_OwnNoise: a further run of the same machine rarely exceeds the norm.
func TestNorm_OwnNoise(t *testing.T) {
	exceeded := 0
	const trials = 1000
	for i := range trials {
		r := rand.New(rand.NewPCG(2, uint64(i)))
		norm := quiet(r, compare.LeastNoise+1)
		if norm[:compare.LeastNoise].Exceeded(norm[compare.LeastNoise]).Answer == result.Yes {
			exceeded++
		}
	}
	if exceeded > trials/50 {
		t.Errorf("%d of %d runs of a machine exceed its own norm", exceeded, trials)
	}
}

// TestMeter measures this machine around nothing.
func TestMeter(t *testing.T) {
	m := compare.BeginNoise(t.Context())
	n := m.End(t.Context(), &result.Result{Generator: result.Generator{Lag: result.Lag{P99: .001}, Steal: .25}})
	if n.Lag != .001 || n.Steal != .25 || !n.Probe.Known() || n.Probe <= 0 || n.Slowest < n.Probe || n.Slowest > 5 {
		t.Errorf("%+v", n)
	}
	if p := float64(n.Pressure); !math.IsNaN(p) && (p < 0 || p > 1) {
		t.Errorf("the pressure is %v", p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begin := time.Now()
	if n := compare.NoiseOf(ctx); n.Probe.Known() || time.Since(begin) > 5*time.Second {
		t.Errorf("a probe that is cancelled took %s: %+v", time.Since(begin), n)
	}
}
