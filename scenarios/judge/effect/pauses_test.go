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

// A pausingWorld is a target that answers in 2 ms and, by itself, stands still for 0.6 s at random.
type pausingWorld struct {
	rate            float64
	gap             float64 // mean number of seconds between two pauses
	baseline, fault int     // seconds
}

// ask plays a run, with 40 s of rest a hold of 10 s after the fault, in which all answers take times as long. It asks
// whether the fault made answers slower, without the rest and with it.
func (w pausingWorld) ask(r *rand.Rand, times float64) (without, with bool) {
	injected, cleared := w.baseline, w.baseline+w.fault
	from := r.ExpFloat64() * w.gap
	to := from + .6
	seconds := make([][]float64, cleared+50)
	for i := range int(float64(len(seconds)) * w.rate) {
		at := float64(i) / w.rate
		for at >= to {
			from = to + r.ExpFloat64()*w.gap
			to = from + .6
		}
		t := .002 * math.Exp(.2*r.NormFloat64())
		if at >= from {
			t += to - at
		}
		if second := int(at); second >= injected && second < cleared {
			t *= times
		}
		seconds[int(at)] = append(seconds[int(at)], t)
	}
	all := slices.Sorted(slices.Values(slices.Concat(seconds[:injected]...)))
	var limits, far [2]float64
	for k, q := range latencyPercentiles {
		limits[k] = 1.1 * all[int(q*float64(len(all)))]
		far[k] = FarAbove(all[int(LowerRank(int64(len(all)), q)*float64(len(all)))])
	}
	counter := newLatencyCounter(limits)
	slicesOf := func(from, to int) (out []LatencySlice) {
		for i := from; i < to; i++ {
			s := LatencySlice{Start: time.Duration(i) * sec, End: time.Duration(i+1) * sec}
			for _, t := range seconds[i] {
				counter.count(&s, t)
				for k := range far {
					if t > far[k] {
						s.Far[k]++
					}
				}
			}
			out = append(out, s)
		}
		return out
	}
	before, during, rest := slicesOf(0, injected), slicesOf(injected, cleared), slicesOf(cleared+10, len(seconds))
	l := Latencies{Baseline: before, Fault: during}
	without = Slower(l, l).Answer == result.Yes
	l.Rest = rest
	return without, Slower(l, l).Answer == result.Yes
}

// TestSlower_Pauses gives the false alarms on a target that pauses by itself, and how often answers that take 30 times
// as long are found: by the baseline alone, and by the seconds of rest besides. The rest makes false alarms rare, and
// costs little of the power.
func TestSlower_Pauses(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	suite.Sequential(t)
	mine := suite.OneIn(6)
	trials := suite.Trials(900)
	all, alarms := 0, 0
	for _, gap := range []float64{4, 10} {
		for _, rate := range []float64{20, 100} {
			for _, baseline := range []int{5, 10, 30} {
				for _, fault := range []int{3, 5, 10} {
					if !mine() {
						continue
					}
					w := pausingWorld{rate: rate, gap: gap, baseline: baseline, fault: fault}
					r := rand.New(rand.NewPCG(4, 8))
					var false0, false1, found0, found1 int
					count := func(n *int, yes bool) {
						if yes {
							*n++
						}
					}
					for range trials {
						a, b := w.ask(r, 1)
						count(&false0, a)
						count(&false1, b)
						a, b = w.ask(r, 30)
						count(&found0, a)
						count(&found1, b)
					}
					share := func(n int) string { return fmt.Sprintf("%.1f%%", 100*float64(n)/float64(trials)) }
					t.Logf("a pause in %2g s, %3g/s, %2d s before, %2d s in: false %5s, with rest %5s; found %6s, with rest %6s",
						gap, rate, baseline, fault, share(false0), share(false1), share(found0), share(found1))
					all, alarms = all+trials, alarms+false1
					if most := .05*float64(trials) + 3*math.Sqrt(.05*float64(trials)); float64(false1) > most {
						t.Errorf("%+v: %d of %d are false", w, false1, trials)
					}
					if fault >= 5 && 10*found1 < 9*found0 {
						t.Errorf("%+v: 30 times slower is found in %d of %d with the rest, and in %d without", w, found1, trials, found0)
					}
				}
			}
		}
	}
	t.Logf("%d false alarms in %d faults, %.2f%%", alarms, all, 100*float64(alarms)/float64(all))
	// one turn plays some of the cells, which are not alike
	if most := .01*float64(all) + 3*math.Sqrt(.01*float64(all)); suite.Full() && float64(alarms) > most {
		t.Errorf("%d false alarms in %d faults, over 1%%", alarms, all)
	}
}

// TestFarOfStep: a step is far slower in most windows of a fault, and in fewer without it than chance explains.
func TestFarOfStep(t *testing.T) {
	for _, c := range []struct {
		name         string
		before, in   int64 // far slower windows, of 20 of the baseline, and of the fault
		steps, lasts int   // lasts: windows of the fault, of five answers
		found        bool
	}{
		{"all of the fault", 0, 10, 20, 10, true},
		{"most of the fault", 0, 8, 20, 10, true},
		{"a pause in the fault", 0, 6, 2, 10, false},
		{"often without it", 8, 8, 2, 10, false},
		{"few answers", 0, 3, 2, 3, false},
		{"one of very many steps", 2, 8, 1000, 10, false},
	} {
		usual := StepTimes{N: 100, Far: [2]int64{5 * c.before}, Windows: 20, FarIn: [2]int64{c.before}}
		fault := StepTimes{N: 5 * int64(c.lasts), Far: [2]int64{5 * c.in}, Windows: int64(c.lasts), FarIn: [2]int64{c.in}}
		if far, found := FarOfStep(&usual, &fault, c.steps); found != c.found || found && far != 5*c.in {
			t.Errorf("%s: %t, %d far slower", c.name, found, far)
		}
	}
}

// A pausingStep is a step of a heavy tail that pauses by itself for two seconds, once in gap seconds on average, in
// which answers take 30 times as long.
type pausingStep struct {
	r      *rand.Rand
	rate   int
	gap    float64 // 0: it never pauses
	paused bool
}

// play returns the answers of some seconds that take times as long.
func (s *pausingStep) play(seconds int, times float64) (list [][]float64) {
	for range seconds {
		chance := .5
		if !s.paused {
			chance = 1 / s.gap
		}
		took := .1 * times
		if s.paused = s.gap > 0 && s.r.Float64() < chance; s.paused {
			took *= 30
		}
		var answers []float64
		for range s.rate {
			answers = append(answers, took*math.Exp(s.r.NormFloat64()))
		}
		list = append(list, answers)
	}
	return list
}

// stepTimes counts answers by second.
func stepTimes(list [][]float64, far [2]float64) *StepTimes {
	var out StepTimes
	for _, answers := range list {
		s := LatencySlice{N: int64(len(answers))}
		for _, v := range answers {
			for k := range far {
				if v > far[k] {
					s.Far[k]++
				}
			}
		}
		out.Add(&s)
	}
	return &out
}

// TestFarOfStep_Pauses gives the false alarms of a run with twenty steps, and how often a step that takes 30 times as
// long is found. Steps that never pause give none.
func TestFarOfStep_Pauses(t *testing.T) {
	const steps = 20
	trials := suite.Trials(1000)
	for _, c := range []struct {
		rate, baseline, fault int
		gap                   float64
		most, least           float64 // shares of false alarms and of finds
	}{
		{1, 30, 10, 0, 0, 0},
		{5, 30, 10, 0, 0, .95},
		{1, 30, 30, 40, .01, .95},
		{5, 30, 5, 40, .03, 0},
		{5, 30, 10, 40, .03, .95},
		{5, 10, 30, 40, .01, .95},
	} {
		r := rand.New(rand.NewPCG(4, 8))
		alarms, found := 0, 0
		for range trials {
			alarm := false
			for step := range steps {
				s := pausingStep{r: r, rate: c.rate, gap: c.gap}
				before := s.play(c.baseline, 1)
				var far [2]float64
				all := slices.Sorted(slices.Values(slices.Concat(before...)))
				for k, q := range latencyPercentiles {
					far[k] = FarAbove(all[int(LowerRank(int64(len(all)), q)*float64(len(all)))])
				}
				usual := stepTimes(before, far)
				_, is := FarOfStep(usual, stepTimes(s.play(c.fault, 1), far), steps)
				alarm = alarm || is
				if step == 0 {
					if _, is := FarOfStep(usual, stepTimes(s.play(c.fault, 30), far), steps); is {
						found++
					}
				}
			}
			if alarm {
				alarms++
			}
		}
		t.Logf("%+v: %d false and %d found of %d", c, alarms, found, trials)
		if n := float64(trials); float64(alarms) > c.most*n+3*math.Sqrt(c.most*n) || float64(found) < c.least*n {
			t.Errorf("%+v: %d false and %d found of %d", c, alarms, found, trials)
		}
	}
}
