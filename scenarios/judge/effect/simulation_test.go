package effect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/judge/effect/effecttest"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// The simulations below hold the rule for impact and recovery. Their model:
//
//   - arrivals are even; a run has slices of a second, cut at injection and clearing,
//     neither of which lies on a second;
//   - a request fails with a share that depends on its time; errors are independent,
//     or come in clusters of 1 to most requests in a row, every size as likely, where
//     the share is that of requests, not of clusters;
//   - with noise, the share is multiplied by exp(noise·x), where x is an AR(1)
//     process by the second with a time constant of 3 s and variance 1;
//   - L is 1 %, the hold 10 s.
//
// All draws come from PCG with the seeds (3, 4); every row of a table begins again.
// A tenth of the trials is made, in some rows of the tables, unless all are asked for,
//
//	BRUNT_FULL=1 go test ./scenarios/judge/effect -run Simulation -v
//
// which takes some minutes and prints the tables.
type world struct {
	rate                   float64
	injected, cleared, end time.Duration
	share                  func(w *world, t float64) float64
	most                   int     // size of clusters
	noise                  float64 // deviation of the logarithm of the share
	marks                  bool    // single requests are known
}

func (w *world) question(r *rand.Rand) Question {
	q := Question{Injected: w.injected, Cleared: w.cleared, Horizon: w.end, Limit: .01, Hold: 10 * sec}
	m := effecttest.Errors{Most: max(1, w.most)}
	marks := []time.Duration{w.injected, w.cleared}
	back := math.Exp(-1. / 3)
	x := r.NormFloat64()
	n := 0
	for start := time.Duration(0); start < w.end; {
		s := Slice{Start: start, InFlight: 1}
		s.End = sliceEnd(start, marks)
		level := math.Exp(w.noise * x)
		if s.End%sec == 0 {
			x = back*x + math.Sqrt(1-back*back)*r.NormFloat64()
		}
		var list []Mark
		for ; float64(n)/w.rate < s.End.Seconds(); n++ {
			s.N++
			isBad := m.Next(r, min(1, w.share(w, float64(n)/w.rate)*level))
			if isBad {
				s.Bad++
			}
			list = append(list, Mark{At: time.Duration(float64(n) / w.rate * float64(sec)), Bad: isBad})
		}
		if w.marks {
			s.Marks = func(out []Mark) []Mark { return append(out, list...) }
		}
		s.Offered, s.Good, s.Ended = s.N, s.N-s.Bad, s.N
		q.Slices = append(q.Slices, s)
		if s.End <= w.injected {
			q.Baseline = append(q.Baseline, s)
		}
		start = s.End
	}
	q.Before = q.Baseline
	return q
}

// sliceEnd is the next whole second or mark after start.
func sliceEnd(start time.Duration, marks []time.Duration) time.Duration {
	end := start.Truncate(sec) + sec
	for _, m := range marks {
		if m > start {
			end = min(end, m)
		}
	}
	return end
}

func world120(rate, times float64) world {
	t := func(s float64) time.Duration { return time.Duration(math.Round(times*s*1000)) * ms }
	return world{rate: rate, injected: t(30.37), cleared: t(60.81), end: t(120).Truncate(sec), most: 1}
}

// tries holds the outcome of many trials of a world.
type tries struct {
	n      int
	impact map[result.Impact]int
	unsteady,
	failover int
	onset []float64 // after the injection
	found []float64 // recovery, relative to the true one
}

func (w world) try(trials int, recovered float64) tries {
	trials = suite.Trials(trials)
	out := tries{n: trials, impact: map[result.Impact]int{}}
	r := rand.New(rand.NewPCG(3, 4))
	for range trials {
		a := Ask(w.question(r))
		out.impact[a.Impact]++
		if a.BadBefore {
			out.unsteady++
		}
		if a.FailoverAt.Known() {
			out.failover++
		}
		if a.OnsetAt.Known() {
			out.onset = append(out.onset, float64(a.OnsetAt)-w.injected.Seconds())
			if a.RecoveredAt.Known() {
				out.found = append(out.found, float64(a.RecoveredAt)-recovered)
			}
		}
	}
	return out
}

func (r tries) share(n int) float64 { return float64(n) / float64(r.n) }

// taken is the share of trials that were taken for recovered.
func (r tries) taken() float64 { return r.share(len(r.found)) }

// often reports whether n trials are 1 % or more; for few trials, whether they exceed 1 % by more
// than chance explains.
func (r tries) often(n int) bool {
	if suite.Full() {
		return r.share(n) >= .01
	}
	_, most := suite.Chance(r.n, .01)
	return n > most
}

// within is the share of trials whose times lie from low to high.
func (r tries) within(times []float64, low, high float64) float64 {
	n := 0
	for _, t := range times {
		if t >= low-1e-6 && t <= high+1e-6 {
			n++
		}
	}
	return r.share(n)
}

func quantiles(x []float64) string {
	if len(x) == 0 {
		return "-"
	}
	slices.Sort(x)
	at := func(q float64) float64 { return x[int(q*float64(len(x)-1))] }
	return fmt.Sprintf("%.2f/%.2f/%.2f", at(.01), at(.5), at(.99))
}

func (r tries) String() string {
	var s strings.Builder
	s.WriteString(fmt.Sprintf("%4d trials:", r.n))
	for _, i := range []result.Impact{result.NotImpacted, result.Impacted, result.NotRecovered, result.UnknownYet} {
		s.WriteString(fmt.Sprintf(" %s %.1f %%", i, 100*r.share(r.impact[i])))
	}
	if r.unsteady > 0 {
		s.WriteString(fmt.Sprintf(" (bad before %.1f %%)", 100*r.share(r.unsteady)))
	}
	if len(r.onset) > 0 {
		s.WriteString(fmt.Sprintf("; onset +%s s, recovery +%s s, failover %.1f %%", quantiles(r.onset), quantiles(r.found),
			100*r.share(r.failover)))
	}
	return s.String()
}

// TestSimulation_FaultFree: runs in which the fault has no effect are taken for impacted, or for bad
// before it, in under 1 %: independent errors and clusters of up to 5, at every rate, for a constant
// share of up to 0.9 L after a baseline of 30 s, and up to 0.5 L after one of 10 s. Two cases are
// only logged: 0.9 L after 10 s, because some 500 requests can't tell such a share from less, and
// clusters of up to 20: at 100/s one is an outage of 200 ms, and a baseline without one does not
// show that it is usual.
func TestSimulation_FaultFree(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	suite.Sequential(t)
	mine := suite.OneIn(8)
	for _, rate := range []float64{1, 10, 50, 100, 1000} {
		times, trials := 1., 2000
		switch {
		case rate < 10:
			times = 20
		case rate < 50:
			times = 6
		case rate > 100:
			trials = 400
		}
		for _, base := range []time.Duration{10 * sec, 30 * sec} {
			for _, p := range []float64{.0005, .002, .005, .009} {
				for _, most := range []int{1, 5, 20} {
					if !mine() {
						continue
					}
					w := world120(rate, times)
					if base == 10*sec {
						w.injected -= time.Duration(times * float64(20*sec))
					}
					w.most = most
					w.marks = rate <= 500 // where requests that are bad in a row decide; see searched
					w.share = func(*world, float64) float64 { return p }
					r := w.try(trials, 0)
					t.Logf("%4g/s, baseline %4.0f s, standing %.2f %%, clusters to %2d, %s", rate, w.injected.Seconds(), 100*p, most,
						r)
					alarms := len(r.onset) + r.unsteady
					held := most == 1 || most == 5 && (base == 30*sec || p <= .005)
					if held && r.often(alarms) {
						t.Errorf("%g/s, standing %g, clusters to %d: %.1f %% false alarms", rate, p, most, 100*r.share(alarms))
					}
				}
			}
		}
		for _, noise := range []float64{.5, 1} {
			if !mine() {
				continue
			}
			w := world120(rate, times)
			w.noise = noise
			w.share = func(*world, float64) float64 { return .002 }
			r := w.try(trials, 0)
			t.Logf("%4g/s, standing 0.2 %%, noise %.1f, %s", rate, noise, r)
			if alarms := r.unsteady + len(r.onset); noise < 1 && r.often(alarms) {
				t.Errorf("%g/s with noise: %.1f %% false alarms", rate, 100*r.share(alarms))
			}
		}
	}
}

// TestSimulation_LastingErrors: a constant error rate of 3 to 5 times the limit, from the injection on or
// after an outage, is taken for recovered in under 1 % of runs of two and of twenty minutes. So are
// clusters of up to 5 in two minutes from 100/s on. The other cases, where a hold has room for a few
// clusters only and there are many candidates, are logged.
func TestSimulation_LastingErrors(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	suite.Sequential(t)
	mine := suite.OneIn(12)
	for _, rate := range []float64{1, 10, 30, 50, 100, 1000} {
		for _, long := range []bool{false, true} {
			if long && (rate == 1 || rate == 1000) {
				continue
			}
			for _, factor := range []float64{3, 4, 5} {
				for _, most := range []int{1, 5} {
					for _, outage := range []bool{false, true} {
						if !mine() {
							continue
						}
						w := world120(rate, 1)
						trials := 1000
						switch {
						case rate == 1:
							w = world120(rate, 20)
						case rate == 1000:
							trials = 200
						case long:
							w.end, trials = 1200*sec, 200
						}
						w.most = most
						w.share = func(w *world, at float64) float64 {
							switch {
							case at < w.injected.Seconds():
								return .002
							case outage && at < w.cleared.Seconds():
								return .2
							}
							return .01 * factor
						}
						r := w.try(trials, 0)
						t.Logf("%4g/s, %4.0f s, standing %g times L, clusters to %d, outage %5t, taken for recovered %.1f %%; %s",
							rate, w.end.Seconds(), factor, most, outage, 100*r.taken(), r)
						if (most == 1 || rate >= 100 && !long) && r.often(len(r.found)) {
							t.Errorf("%g/s, %g times L, clusters to %d: taken for recovered in %.1f %%", rate, factor, most, 100*r.taken())
						}
					}
				}
			}
		}
	}
}

// TestSimulation_Outage: onset and recovery of a 20 % outage are found within a
// second in 95 % of runs at 100/s and above, with and without noise, and the
// error is not in its favour. Weaker outages and lower rates are logged.
func TestSimulation_Outage(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	suite.Sequential(t)
	mine := suite.OneIn(4)
	for _, rate := range []float64{10, 50, 100, 1000} {
		for _, p := range []float64{.05, .2, 1} {
			for _, noise := range []float64{0, .5} {
				if !mine() {
					continue
				}
				w := world120(rate, 1)
				w.noise = noise
				w.share = func(w *world, at float64) float64 {
					if at >= w.injected.Seconds() && at < w.cleared.Seconds() {
						return p
					}
					return .002
				}
				trials := 1000
				if rate > 100 {
					trials = 200
				}
				r := w.try(trials, w.cleared.Seconds())
				t.Logf("%4g/s, outage of %3.0f %%, noise %.1f, %s", rate, 100*p, noise, r)
				if rate < 100 || p < .2 {
					continue
				}
				if on := r.within(r.onset, 0, 1); on < .99 {
					t.Errorf("%g/s, %g, noise %g: onset within a second in %.1f %%", rate, p, noise, 100*on)
				}
				if re := r.within(r.found, -1, 1); re < .99 {
					t.Errorf("%g/s, %g, noise %g: recovery within a second in %.1f %%", rate, p, noise, 100*re)
				}
				if r.often(r.failover) {
					t.Errorf("%g/s, %g, noise %g: failover in %.1f %%", rate, p, noise, 100*r.share(r.failover))
				}
			}
		}
	}
}

// TestSimulation_Short: an outage of 300 ms at 1000/s is detected at any position, and so is the
// smallest one according to Smallest.
func TestSimulation_Short(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	suite.Sequential(t)
	mine := suite.OneIn(3)
	smallest, _, _ := Smallest(1000, .01)
	for _, d := range []time.Duration{300 * ms, smallest} {
		for _, delay := range []float64{0, .2, .5, .9, 1.37, 20} {
			if !mine() {
				continue
			}
			w := world120(1000, 1)
			w.share = func(w *world, at float64) float64 {
				if from := w.injected.Seconds() + delay; at >= from && at < from+d.Seconds() {
					return 1
				}
				return .002
			}
			recovered := w.injected.Seconds() + delay + d.Seconds()
			r := w.try(200, recovered)
			t.Logf("an outage of %s at +%g s, %s", d, delay, r)
			if seen := r.within(r.onset, delay-1, delay+.001); seen < .95 {
				t.Errorf("%s at +%g s: seen in %.1f %%", d, delay, 100*seen)
			}
			if found := r.within(r.found, 0, 1); d == 300*ms && found < .99 {
				t.Errorf("%s at +%g s: recovery within a second in %.1f %%", d, delay, 100*found)
			}
		}
	}
}

// TestSimulation_Sharp: at low rates a sharp outage as short as Smallest says, and one of 12 requests at least, is
// found at any position, and its end to the request.
func TestSimulation_Sharp(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	mine := suite.OneIn(4)
	for _, rate := range []float64{10, 50, 100, 400} {
		smallest, _, _ := Smallest(rate, .01)
		for _, delay := range []float64{0, .3, 4.97, 19.5} {
			if !mine() {
				continue
			}
			w := world120(rate, max(1, 50/rate))
			w.marks = true
			w.share = func(w *world, at float64) float64 {
				if from := w.injected.Seconds() + delay; at >= from && at < from+smallest.Seconds() {
					return 1
				}
				return 0
			}
			recovered := w.injected.Seconds() + delay + smallest.Seconds()
			r := w.try(300, recovered)
			t.Logf("%4g/s, an outage of %s at +%g s, %s", rate, smallest, delay, r)
			if found := r.within(r.found, -1.01/rate, 1.01/rate); found < .95 {
				t.Errorf("%g/s, %s at +%g s: recovery to the request in %.1f %%", rate, smallest, delay, 100*found)
			}
		}
	}
}

// TestSimulation_Flapping: 4 s of 20 % errors, 4 s without, until 90 s, is one degradation: recovery
// is the end of the last bad stretch, at 90.37 s.
func TestSimulation_Flapping(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	suite.Sequential(t)
	mine := suite.OneIn(3)
	for _, rate := range []float64{10, 50, 100, 1000} {
		for _, noise := range []float64{0, .5} {
			if !mine() {
				continue
			}
			w := world120(rate, 1)
			w.noise = noise
			w.end = 180 * sec
			w.share = func(w *world, at float64) float64 {
				if since := at - w.injected.Seconds(); since >= 0 && since < 60 && int(since/4)%2 == 0 {
					return .2
				}
				return .002
			}
			trials := 1000
			if rate > 100 {
				trials = 200
			}
			last := w.injected.Seconds() + 60
			r := w.try(trials, last)
			t.Logf("%4g/s, noise %.1f, %s", rate, noise, r)
			if rate < 100 {
				continue
			}
			// 20 % of a part of a second may be below the limit
			if one := r.within(r.found, -5.4, 1.1); one < .99*r.taken() || r.taken() < .95 {
				t.Errorf("%g/s, noise %g: recovery after the last of it in %.1f %%", rate, noise, 100*one)
			}
			if r.often(r.failover) {
				t.Errorf("%g/s, noise %g: failover in %.1f %%", rate, noise, 100*r.share(r.failover))
			}
		}
	}
}

// TestSimulation_Failover: half of all requests fail for 5 s, then the system fails over while the
// fault stays active; when it is cleared, failing back causes errors for 3 s, or none.
func TestSimulation_Failover(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	mine := suite.OneIn(2)
	for _, rate := range []float64{50, 100, 1000} {
		for _, harm := range []float64{0, .2} {
			if !mine() {
				continue
			}
			w := world120(rate, 1)
			w.share = func(w *world, at float64) float64 {
				inj, clr := w.injected.Seconds(), w.cleared.Seconds()
				switch {
				case at >= inj && at < inj+5:
					return .5
				case at >= clr && at < clr+3:
					return max(.002, harm)
				}
				return .002
			}
			trials := 1000
			if rate > 100 {
				trials = 200
			}
			recovered := w.injected.Seconds() + 5
			if harm > 0 {
				recovered = w.cleared.Seconds() + 3
			}
			r := w.try(trials, recovered)
			t.Logf("%4g/s, failing back %2.0f %%, %s", rate, 100*harm, r)
			if rate < 100 {
				continue
			}
			if r.share(r.failover) < .99 {
				t.Errorf("%g/s: failover seen in %.1f %%", rate, 100*r.share(r.failover))
			}
			if found := r.within(r.found, -1, 1); found < .99 {
				t.Errorf("%g/s, failing back %g: recovery within a second in %.1f %%", rate, harm, 100*found)
			}
		}
	}
}

// TestSimulation_LowRate: at 10/s a hold of 10 s has 100 requests, and 299 are the least that show 1
// %: the hold is extended, and its start is still found. With a load that ends before that, recovery
// is unknown.
func TestSimulation_LowRate(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	for _, c := range []struct {
		end     time.Duration
		known   bool
		comment string
	}{
		{300 * sec, true, "four minutes after"},
		{85 * sec, false, "24 s after"},
	} {
		w := world120(10, 1)
		w.end = c.end
		w.share = func(w *world, at float64) float64 {
			if at >= w.injected.Seconds() && at < w.cleared.Seconds() {
				return .5
			}
			return 0
		}
		r := w.try(1000, w.cleared.Seconds())
		t.Logf("%s, %s", c.comment, r)
		if c.known && r.within(r.found, -1, 1) < .95 {
			t.Errorf("recovery within a second in %.1f %%", 100*r.within(r.found, -1, 1))
		}
		if !c.known && r.share(r.impact[result.UnknownYet]) < .99 {
			t.Errorf("unknown in %.1f %%", 100*r.share(r.impact[result.UnknownYet]))
		}
	}
}
