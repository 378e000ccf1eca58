package requests

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A SlowdownTest counts, by time, the good answers that are slower than in the baseline, to test whether a fault made
// answers slower. Each step is compared with its own baseline, so that a different mix of steps does not look slower.
type SlowdownTest struct {
	of       []bool   // whether it counts a series
	limits   []limits // by series
	baseline []effect.LatencySlice
	// without brunt's own time: the baseline, and the requests that met no fault, a hold after the last
	own, rest []effect.LatencySlice
	hold      time.Duration
	met       []answers          // by the set of faults that the requests met; the set of no fault is the baseline
	sets      [][]int32          // occurrences, by set
	usual     []effect.StepTimes // by series: of the baseline and the rest
}

// limits holds the limits by which the answers of a step are counted. All are zero if the baseline has fewer good
// answers of the step than a bound of its median needs.
//
// Answers without brunt's own time are compared with a baseline without it: if brunt was as late before a fault as in
// it, its lateness would otherwise hide that answers are slower.
type limits struct {
	measured, own bounds // of the response time; without brunt's own time
	differ        bool   // brunt's own time in the baseline tells own from measured
	// far above the 95 % lower bounds of the percentiles of the service time. Only the time before brunt sent a request
	// is certainly brunt's own. All other time may be due to the target, even the time for which a request waited for a
	// connection or a user.
	service [2]float64
}

// bounds are limits of a response time, in seconds.
type bounds struct {
	above [2]float64 // a tenth above the baseline's median and 95th percentile
	far   [2]float64 // far above the 95 % lower bounds of these percentiles; see [effect.FarAbove]
}

// answers holds good answers as measured, and without the time that brunt itself added.
type answers struct {
	measured     []effect.LatencySlice
	own, least   []effect.LatencySlice // without brunt's own time; and also without the largest lag of their window
	n            int64
	late         time.Duration      // sum of brunt's own time
	incomparable int64              // answers of steps without limits, which n leaves out
	steps        []effect.StepTimes // by series; nil if there are no answers
}

// later returns how much more of brunt's own time these answers contain than those of the baseline, on average.
func (w *answers) later(baseline *answers) time.Duration {
	return w.late/time.Duration(max(1, w.n)) - baseline.late/time.Duration(max(1, baseline.n))
}

// least is the least time by which an answer must be longer to count as slower, whatever the baseline.
const least = 200 * time.Microsecond

// leastBaseline is the least number of good answers with which the median of a step has a 95 % lower bound; see
// [effect.EnoughFor].
const leastBaseline = 5

// Slowdown is the answer to whether a fault made good answers slower.
type Slowdown struct {
	result.Told
	Far    result.Answer // whether they took over twice as long and over 20 ms longer; see [effect.Far]
	Enough bool          // there are enough answers to tell, or they were far slower; see [effect.TellsSlower]
}

// limitsOf returns the limits of a step from its baseline.
func limitsOf(cell *measure.Cell) (l limits) {
	c := cell.CountsWithTimes()
	if c.Response == nil || c.Response.Total < leastBaseline {
		return l
	}
	n, own := c.Response.Total, &cell.Late.Punctual
	l.differ = c.Own.Total/time.Duration(n) >= least && own.N == n
	for k, q := range []float64{.5, .95} {
		lower := effect.LowerRank(n, q)
		response := func(q float64) float64 { return c.Response.ValueAt(measure.Rank(q, n), c.Most) }
		l.measured.set(k, response(q), response(lower))
		if l.own = l.measured; l.differ {
			l.own.set(k, float64(own.Quantile(q)), float64(own.Quantile(lower)))
		}
		l.service[k] = effect.FarAbove(c.Service.ValueAt(measure.Rank(lower, n), c.SvcMost))
	}
	return l
}

// set sets the bounds of percentile k, by its value and its lower bound.
func (b *bounds) set(k int, at, low float64) {
	b.above[k], b.far[k] = max(1.1*at, at+least.Seconds()), effect.FarAbove(low)
}

// addFar counts the good answers of a step that are far slower: by their service time, or by their response time
// without brunt's own time.
func (l *limits) addFar(s *effect.LatencySlice, c *measure.Cell) {
	t := &c.Service[scenarios.OK]
	responses := c.Late.Punctual.Above(l.own.far[:])
	for k, limit := range l.service {
		s.Far[k] += max(t.Total-t.UpTo(limit), responses[k])
	}
}

// NewSlowdownTest returns the test of the requests that an objective selects, for a recording and its baseline, by
// series; nil if no fault was injected.
func NewSlowdownTest(
	f *measure.Recording, o slo.Objective, baseline []measure.Cell, hold time.Duration,
) *SlowdownTest {
	if f.FirstInjection() == measure.Never {
		return nil
	}
	l := &SlowdownTest{
		met: make([]answers, len(f.Sets)), sets: f.Sets, hold: hold, usual: make([]effect.StepTimes, len(baseline)),
	}
	for s := range baseline {
		l.of = append(l.of, Selects(&f.Config.Series, o, s))
		l.limits = append(l.limits, limitsOf(&baseline[s]))
	}
	return l
}

// Add counts a cell of a step in the baseline, in the faults that its requests met, or in the rest. lag is brunt's
// largest lag in the cell's window.
func (l *SlowdownTest) Add(f *measure.Recording, k measure.Key, c *measure.Cell, lag time.Duration) {
	if l == nil {
		return
	}
	of := &l.limits[k.Series]
	base := f.InBaseline(k)
	rest := !base && len(f.Sets[k.Set]) == 0
	if k.Start < 0 || !l.of[k.Series] || rest && !l.calm(f, k.Start) {
		return
	}
	t := &c.Response[scenarios.OK]
	if of.measured.above[0] == 0 {
		if !rest {
			l.met[k.Set].incomparable += t.Total
		}
		return
	}
	n := effect.LatencySlice{Start: k.Start, End: f.EndOf(k.Start), N: t.Total}
	for i, limit := range of.measured.above {
		for j := range n.Above[i] {
			n.Above[i][j] = t.Total - t.UpTo(limit*effect.LatencyRatio(j))
		}
	}
	of.addFar(&n, c)
	l.stepTimes(base || rest, k).Add(&n)
	if rest {
		l.rest = joined(l.rest, without(n, c, of, 0))
		return
	}
	met := &l.met[k.Set]
	met.n += n.N
	met.late += c.Counts().Own.Total
	if base {
		l.baseline = joined(l.baseline, n)
		if of.differ {
			n = without(n, c, of, 0)
		}
		l.own = joined(l.own, n)
		return
	}
	met.measured = joined(met.measured, n)
	met.own = joined(met.own, without(n, c, of, 0))
	met.least = joined(met.least, without(n, c, of, lag))
}

// stepTimes returns the times of the step of a key: the usual ones, or those of the faults that its requests met.
func (l *SlowdownTest) stepTimes(usual bool, k measure.Key) *effect.StepTimes {
	if usual {
		return &l.usual[k.Series]
	}
	met := &l.met[k.Set]
	if met.steps == nil {
		met.steps = make([]effect.StepTimes, len(l.usual))
	}
	return &met.steps[k.Series]
}

// FarStep returns the number of a step whose good answers an occurrence made far slower, with the number of its answers
// and how many of them were; see [effect.FarOfStep]. It is for the answers of a step that are few beside those of all
// steps, so that [SlowdownTest.Slower] does not show them.
func (l *SlowdownTest) FarStep(i int) (step int, far, n int64, found bool) {
	if l == nil {
		return 0, 0, 0, false
	}
	in, steps := make([]effect.StepTimes, len(l.usual)), 0
	for set, members := range l.sets {
		if slices.Contains(members, int32(i)) {
			for s := range l.met[set].steps {
				in[s].Join(&l.met[set].steps[s])
			}
		}
	}
	for s := range in {
		if in[s].N > 0 {
			steps++
		}
	}
	for s := range in {
		if far, found := effect.FarOfStep(&l.usual[s], &in[s], steps); found {
			return s, far, in[s].N, true
		}
	}
	return 0, 0, 0, false
}

// calm reports whether a hold has passed since every fault that was injected before an instant.
func (l *SlowdownTest) calm(f *measure.Recording, at time.Duration) bool {
	return !slices.ContainsFunc(f.Faults, func(o measure.Occurrence) bool {
		return o.Name != "" && o.Injected <= at && (o.Until() > at || at-o.Until() < l.hold)
	})
}

// without returns a slice without brunt's own time in the answers of a cell, and also without lag. If both are zero,
// it returns n as measured.
func without(n effect.LatencySlice, c *measure.Cell, of *limits, lag time.Duration) effect.LatencySlice {
	if lag == 0 && c.Counts().Own.Total == 0 && !of.differ {
		return n
	}
	limits := make([]float64, effect.LatencyRatios)
	for i, limit := range of.own.above {
		for j := range limits {
			limits[j] = limit*effect.LatencyRatio(j) + lag.Seconds()
		}
		copy(n.Above[i][:], c.Late.Punctual.Above(limits))
		n.Far[i] = c.Late.Punctual.Above([]float64{of.own.far[i] + lag.Seconds()})[0]
	}
	return n
}

// Slower reports whether occurrences, which count as one, made good answers slower; see [effect.Slower]. The answers
// are tested without brunt's own time. If that time is so much higher than in the baseline that it could make an
// answer slower, they are tested without the largest lag in the request's window: brunt woke up that late, and may
// have read the answer that late.
func (l *SlowdownTest) Slower(of ...int) Slowdown {
	if l == nil {
		return Slowdown{Told: result.NotTold(result.Note{Kind: result.SlowerNoFault})}
	}
	met, own := l.metBy(of)
	measured := effect.Latencies{Baseline: l.baseline, Fault: met.measured}
	s := Slowdown{
		Told: effect.Slower(measured, effect.Latencies{Baseline: l.own, Rest: l.rest, Fault: own}),
		Far:  effect.Far(measured.Fault).Answer,
	}
	s.Enough = s.Far == result.Yes || effect.TellsSlower(measured)
	if s.Answer == result.No && met.incomparable > met.n {
		s.Told = result.NotTold(result.Note{
			Kind: result.SlowerSteps, Part: met.incomparable, Count: met.n + met.incomparable, Need: leastBaseline,
		})
	}
	return s
}

// SlowerIn returns a function that gives the answer of Slower for the requests that met an occurrence and were due in a
// span. If fewer good answers than the test takes are in the span, it goes on until there are as many.
func (l *SlowdownTest) SlowerIn(i int) func(Span) result.Answer {
	met, own := l.metBy([]int{i})
	return func(in Span) result.Answer {
		return effect.Slower(
			effect.Latencies{Baseline: l.baseline, Fault: dueIn(met.measured, in, effect.LeastAnswers)},
			effect.Latencies{Baseline: l.own, Rest: l.rest, Fault: dueIn(own, in, effect.LeastAnswers)}).Answer
	}
}

// MostlyFar reports whether most good answers to requests that met an occurrence and were due in a span took far longer
// than in the baseline, for certain; see [effect.MostlyFar].
func (l *SlowdownTest) MostlyFar(i int, in Span) bool {
	met, _ := l.metBy([]int{i})
	return effect.MostlyFar(dueIn(met.measured, in, 0))
}

// SlowerAfter is SlowerIn for the requests that met no fault, a hold or more after the last one. The span goes on until
// there are as many good answers as a no takes, but not beyond the next injection.
func (l *SlowdownTest) SlowerAfter(in Span, next time.Duration) result.Answer {
	rest := dueIn(l.rest, in, effect.EnoughForFar(0))
	rest = slices.DeleteFunc(rest, func(s effect.LatencySlice) bool { return s.Start >= next })
	return effect.Slower(
		effect.Latencies{Baseline: l.baseline, Fault: rest}, effect.Latencies{Baseline: l.own, Fault: rest}).Answer
}

// dueIn returns the slices of a span, and those after it until there are enough good answers.
func dueIn(list []effect.LatencySlice, in Span, enough int64) (out []effect.LatencySlice) {
	n := int64(0)
	for _, s := range list {
		if s.End > in.From && (s.Start < in.To || n < enough) {
			out, n = append(out, s), n+s.N
		}
	}
	return out
}

// metBy returns the good answers to requests that met any of some occurrences, and those without brunt's own time, in
// the order of time.
func (l *SlowdownTest) metBy(of []int) (met answers, own []effect.LatencySlice) {
	for set, members := range l.sets {
		if slices.ContainsFunc(members, func(i int32) bool { return slices.Contains(of, int(i)) }) {
			m := &l.met[set]
			met.measured, met.own, met.least = append(met.measured, m.measured...), append(met.own, m.own...),
				append(met.least, m.least...)
			met.n, met.late, met.incomparable = met.n+m.n, met.late+m.late, met.incomparable+m.incomparable
		}
	}
	own = met.own
	if met.later(&l.met[0]) >= least {
		own = met.least
	}
	met.measured = inOrder(met.measured)
	return met, inOrder(own)
}

// Tells reports whether there are enough answers for Slower to tell.
func (l *SlowdownTest) Tells(i int) bool {
	if l == nil {
		return true
	}
	var met []effect.LatencySlice
	for set, members := range l.sets {
		if slices.Contains(members, int32(i)) {
			met = append(met, l.met[set].measured...)
		}
	}
	return effect.TellsSlower(effect.Latencies{Baseline: l.baseline, Fault: inOrder(met)})
}

// SlowdownSoFar returns the answer of [SlowdownTest.Slower] while the run goes on, from the sums of the baseline and
// of a fault, by series. It is never yes, because single seconds are compared only at the end.
func SlowdownSoFar(c *measure.Series, baseline, fault []measure.Cell) Slowdown {
	var all effect.LatencySlice
	incomparable := int64(0)
	for s := range c.Steps {
		if !c.InSums(s) {
			continue
		}
		n := fault[s].Response[scenarios.OK].Total
		of := limitsOf(&baseline[s])
		if of.measured.above[0] == 0 {
			incomparable += n
			continue
		}
		all.N += n
		of.addFar(&all, &fault[s])
	}
	far := effect.Far([]effect.LatencySlice{all}).Answer
	if far != result.No || incomparable > all.N {
		return Slowdown{Told: result.NotTold(result.Note{Kind: result.SlowerLater}), Far: far}
	}
	return Slowdown{Told: result.Told{Answer: result.No}, Far: far}
}

// Finish sorts the baseline and the rest. It is called when all cells are added.
func (l *SlowdownTest) Finish() {
	if l != nil {
		l.baseline, l.own, l.rest = inOrder(l.baseline), inOrder(l.own), inOrder(l.rest)
	}
}

// inOrder returns slices in the order of time, with slices of the same time added up.
func inOrder(list []effect.LatencySlice) []effect.LatencySlice {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b effect.LatencySlice) int { return cmp.Compare(a.Start, b.Start) })
	var out []effect.LatencySlice
	for _, s := range list {
		out = joined(out, s)
	}
	return out
}

// joined appends a slice, or adds it to the last one if both begin at the same time.
func joined(list []effect.LatencySlice, s effect.LatencySlice) []effect.LatencySlice {
	last := len(list) - 1
	if last < 0 || list[last].Start != s.Start {
		return append(list, s)
	}
	list[last].Add(&s)
	return list
}
