package effect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// A latencyWorld is a target whose response times are drawn.
type latencyWorld struct {
	name string
	draw func(r *rand.Rand) float64 // seconds
	// deviation of the logarithm of its level, an AR(1) process with a time constant of 3 s
	noise float64
}

var latencyWorlds = []latencyWorld{
	{"bimodal", func(r *rand.Rand) float64 {
		if r.Float64() < .15 {
			return .060 * math.Exp(.1*r.NormFloat64())
		}
		return .002 * math.Exp(.2*r.NormFloat64())
	}, 0},
	{"heavy tail", func(r *rand.Rand) float64 { return .002 / math.Pow(1-r.Float64(), 1/1.3) }, 0},
	{"lognormal", func(r *rand.Rand) float64 { return .010 * math.Exp(.8*r.NormFloat64()) }, 0},
	{"rare slow mode", func(r *rand.Rand) float64 { // the 95th percentile of few answers lies in either mode
		if r.Float64() < .02 {
			return .060 * math.Exp(.1*r.NormFloat64())
		}
		return .002 * math.Exp(.2*r.NormFloat64())
	}, 0},
	{"lognormal, correlated", func(r *rand.Rand) float64 { return .010 * math.Exp(.8*r.NormFloat64()) }, .15},
	{"heavy tail, correlated", func(r *rand.Rand) float64 { return .002 / math.Pow(1-r.Float64(), 1/1.3) }, .15},
	{"bimodal, correlated", func(r *rand.Rand) float64 {
		if r.Float64() < .15 {
			return .060 * math.Exp(.1*r.NormFloat64())
		}
		return .002 * math.Exp(.2*r.NormFloat64())
	}, .15},
}

// slowerIn plays a baseline and a fault during which all answers take times as long, and asks whether
// those were slower.
func (w latencyWorld) slowerIn(r *rand.Rand, rate float64, baseline, fault time.Duration, times float64) bool {
	back := math.Exp(-1. / 3)
	x := r.NormFloat64()
	second := func(d time.Duration, times float64) (out [][]float64) {
		for range int(d / time.Second) {
			level := times * math.Exp(w.noise*x)
			x = back*x + math.Sqrt(1-back*back)*r.NormFloat64()
			one := make([]float64, int(rate))
			for i := range one {
				one[i] = level * w.draw(r)
			}
			out = append(out, one)
		}
		return out
	}
	before, during := second(baseline, 1), second(fault, times)
	all := slices.Concat(before...)
	slices.Sort(all)
	counter := newLatencyCounter([2]float64{1.1 * all[len(all)/2], 1.1 * all[len(all)*95/100]})
	count := func(list [][]float64) (out []LatencySlice) {
		for i, one := range list {
			s := LatencySlice{Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second}
			for _, t := range one {
				counter.count(&s, t)
			}
			out = append(out, s)
		}
		return out
	}
	l := Latencies{Baseline: count(before), Fault: count(during)}
	return Slower(l, l).Answer == result.Yes
}

// TestLatency_Simulation gives the false alarms and the power of Slower. The full form takes a minute:
//
//	BRUNT_FULL=1 go test ./scenarios/judge/effect -run Latency -v
func TestLatency_Simulation(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	suite.Sequential(t)
	mine := suite.OneIn(5)
	spans := []struct{ baseline, fault time.Duration }{{30 * sec, 10 * sec}, {10 * sec, 5 * sec}, {60 * sec, 30 * sec}}
	rates := []float64{5, 20, 100, 1000}
	var all, alarms int
	for _, w := range latencyWorlds {
		for _, rate := range rates {
			for _, s := range spans {
				if !mine() {
					continue
				}
				trials := suite.Trials(480)
				if rate > 100 {
					trials = max(12, suite.Trials(120)) // so many tell 60 % from a fifth
				}
				r := rand.New(rand.NewPCG(3, 6))
				found := map[float64]int{}
				for _, times := range []float64{1, 1.5, 3} {
					for range trials {
						if w.slowerIn(r, rate, s.baseline, s.fault, times) {
							found[times]++
						}
					}
				}
				all, alarms = all+trials, alarms+found[1]
				share := func(times float64) string { return fmt.Sprintf("%.1f%%", 100*float64(found[times])/float64(trials)) }
				t.Logf("%-24s %5g/s, %3s before, %3s in: false %5s; 1.5 times slower %6s, 3 times %6s",
					w.name, rate, s.baseline, s.fault, share(1), share(1.5), share(3))
				if most := .01*float64(trials) + 3*math.Sqrt(.01*float64(trials)); float64(found[1]) > most {
					t.Errorf("%s, %g/s, %s before, %s in: %d false alarms in %d", w.name, rate, s.baseline, s.fault, found[1], trials)
				}
				power := .9
				if w.noise > 0 {
					power = .6
				}
				least := int(math.Ceil(power * float64(trials)))
				if !suite.Full() { // few trials may find fewer by chance
					least, _ = suite.Chance(trials, power)
				}
				if found[3] < least && rate >= 100 && s.baseline >= 30*sec {
					t.Errorf("%s, %g/s, %s before, %s in: 3 times slower is seen in %d of %d, want %d", w.name, rate, s.baseline,
						s.fault, found[3], trials, least)
				}
			}
		}
	}
	t.Logf("%d false alarms in %d faults, %.2f%%", alarms, all, 100*float64(alarms)/float64(all))
	most := int(.01 * float64(all))
	if !suite.Full() {
		_, most = suite.Chance(all, .01)
	}
	if alarms > most {
		t.Errorf("%d false alarms in %d faults, over 1%%", alarms, all)
	}
}

// TestSlower_FewAnswers: a baseline of few answers shows what is many times slower.
func TestSlower_FewAnswers(t *testing.T) {
	w := latencyWorld{draw: func(r *rand.Rand) float64 { return .010 * math.Exp(.1*r.NormFloat64()) }}
	for _, c := range []struct {
		rate     float64
		baseline time.Duration
	}{{1, 30 * sec}, {1, 60 * sec}, {2, 15 * sec}, {2, 30 * sec}, {4, 15 * sec}, {2, 40 * sec}, {5, 10 * sec}} {
		r := rand.New(rand.NewPCG(1, 2))
		if !w.slowerIn(r, c.rate, c.baseline, 30*sec, 50) {
			t.Errorf("%g/s, %s before: 50 times slower is not seen", c.rate, c.baseline)
		}
		if w.slowerIn(r, c.rate, c.baseline, 30*sec, 1) {
			t.Errorf("%g/s, %s before: a false alarm", c.rate, c.baseline)
		}
	}
}

// TestFar: no needs a bound of both percentiles, which so few answers don't have, and yes one as well.
func TestFar(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int64
		far  [2]int64
		want result.Answer
	}{
		{"no answer", 0, [2]int64{}, result.Untested},
		{"four, as before", 4, [2]int64{}, result.Untested},
		{"four, far slower", 4, [2]int64{4, 4}, result.Yes}, // by the 95th percentile
		{"58, as before", 58, [2]int64{}, result.Untested},
		{"59, as before", 59, [2]int64{}, result.No},
		{"59, one far slower", 59, [2]int64{1, 1}, result.Untested},
		{"200, of which 2 % are far slower", 200, [2]int64{4, 4}, result.No},
		{"200, of which 3 % are far slower", 200, [2]int64{6, 6}, result.Untested},
		{"200, of which 9 % are far slower", 200, [2]int64{18, 18}, result.Yes},
		{"500, half of them slower than the median", 500, [2]int64{250, 0}, result.Untested},
		{"500, more than half", 500, [2]int64{290, 0}, result.Yes},
	} {
		one := LatencySlice{N: c.n, Far: c.far}
		if got := Far([]LatencySlice{one}); got.Answer != c.want || (len(got.Why) > 0) != (c.want == result.Untested) {
			t.Errorf("%s: %s (%s), want %s", c.name, got.Answer, got.Why.Phrase(nil), c.want)
		}
		// the parts of a fault are one
		if got := Far([]LatencySlice{{}, one}); got.Answer != c.want {
			t.Errorf("%s, with a second that had none: %s", c.name, got.Answer)
		}
	}
}

// TestFar_Simulation: no is wrong for one fault in 20 at most, where one in 20 of its answers is far slower, however
// many there are.
func TestFar_Simulation(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	r := rand.New(rand.NewPCG(9, 1))
	const trials = 4000
	for _, n := range []int64{1, 4, 20, 59, 100, 300, 1000} {
		wrong := 0
		for range trials {
			s := LatencySlice{N: n}
			for range n {
				if r.Float64() < .05 {
					s.Far[1]++
				}
			}
			if Far([]LatencySlice{s}).Answer == result.No {
				wrong++
			}
		}
		if most := .05*trials + 3*math.Sqrt(.05*trials); float64(wrong) > most {
			t.Errorf("%d answers: %d of %d are called not slower, want %.0f at most", n, wrong, trials, most)
		}
	}
}

// pausing plays a baseline and a fault of whole seconds at 100/s, and asks whether the fault's answers were slower.
// Answers take 2 ms, times the factor of their second; those of the given share of a second take that long.
func pausing(baseline, fault []float64, share float64) bool {
	r := rand.New(rand.NewPCG(5, 8))
	draw := func(factors []float64) (out [][]float64) {
		for _, factor := range factors {
			var one []float64
			for i := range 100 {
				t := .002 * math.Exp(.2*r.NormFloat64())
				if float64(i) < 100*share {
					t *= factor
				}
				one = append(one, t)
			}
			out = append(out, one)
		}
		return out
	}
	before, during := draw(baseline), draw(fault)
	all := slices.Sorted(slices.Values(slices.Concat(before...)))
	counter := newLatencyCounter([2]float64{1.1 * all[len(all)/2], 1.1 * all[len(all)*95/100]})
	far := [2]float64{FarAbove(all[len(all)/2]), FarAbove(all[len(all)*95/100])}
	count := func(list [][]float64) (out []LatencySlice) {
		for i, one := range list {
			s := LatencySlice{Start: time.Duration(i) * sec, End: time.Duration(i+1) * sec}
			for _, t := range one {
				counter.count(&s, t)
				for k, limit := range far {
					if t > limit {
						s.Far[k]++
					}
				}
			}
			out = append(out, s)
		}
		return out
	}
	l := Latencies{Baseline: count(before), Fault: count(during)}
	return Slower(l, l).Answer == result.Yes
}

// TestSlower_ShortBaseline: five seconds, the first of which is slow because connections are made, show answers that
// are far slower in each second of a fault.
func TestSlower_ShortBaseline(t *testing.T) {
	for _, c := range []struct {
		name            string
		baseline, fault []float64
		share           float64 // of the answers of each second that the factors are for
		want            bool
	}{
		{"all 250 times slower", []float64{30, 1, 2, 1, 3}, []float64{250, 250, 250}, 1, true},
		{"all 30 times slower", []float64{1, 1.2, 1, 1.5, 1}, []float64{30, 30, 30, 30}, 1, true},
		{"one in ten is slower", []float64{40, 1, 1, 1, 1}, []float64{150, 150, 150}, .1, true},
		{"pauses as before", []float64{1, 150, 1, 1, 1}, []float64{150, 1, 1, 150}, .3, false},
		{"nothing", []float64{1, 1, 1, 1, 1}, []float64{1, 1, 1}, 1, false},
	} {
		if got := pausing(c.baseline, c.fault, c.share); got != c.want {
			t.Errorf("%s: slower is %t, want %t", c.name, got, c.want)
		}
	}
}
