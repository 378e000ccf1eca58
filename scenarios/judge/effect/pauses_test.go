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
