package latency

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/impact"
	"brunt/scenarios/measure"
)

// A Test counts the good answers that are slower than those of the baseline, by time: for the test of
// whether a fault made answers slower. Each step is held against its own baseline, so that another mix
// of steps makes nothing slower.
type Test struct {
	limits   [][2]float64 // by series: a tenth above the baseline's median and 95th percentile, seconds; zero: no baseline
	baseline []impact.LatencySlice
	faults   [][]impact.LatencySlice // by occurrence
	late     []lateness              // by occurrence; the last is the baseline
}

// lateness is brunt's own time in good answers.
type lateness struct {
	n   int64
	own time.Duration
}

// least is the least time by which an answer is slower, whatever the baseline.
const least = 200 * time.Microsecond

// New returns the test of a recording with its baseline, by series; nil where no fault was injected.
func New(f *measure.Recording, baseline []measure.Counts) *Test {
	if f.FirstInjection() == measure.Never {
		return nil
	}
	l := &Test{limits: make([][2]float64, len(baseline)), faults: make([][]impact.LatencySlice, len(f.Faults)), late: make([]lateness, len(f.Faults)+1)}
	for s := range baseline {
		t := baseline[s].Response
		if t == nil || t.Total == 0 {
			continue
		}
		for k, q := range []float64{.5, .95} {
			at := t.ValueAt(measure.Rank(q, t.Total), baseline[s].Most)
			l.limits[s][k] = max(1.1*at, at+least.Seconds())
		}
	}
	return l
}

// Add counts a cell of a step in the baseline, or in the faults that its requests met.
func (l *Test) Add(f *measure.Recording, k measure.Key, c *measure.Cell) {
	if k.Start < 0 || !f.Config.InSums(int(k.Series)) || l.limits[k.Series][0] == 0 {
		return
	}
	t := &c.Response[scenarios.OK]
	n := impact.LatencySlice{Start: k.Start, End: f.EndOf(k.Start), N: t.Total}
	for i, limit := range l.limits[k.Series] {
		for j := range n.Above[i] {
			n.Above[i][j] = t.Total - t.UpTo(limit*impact.LatencyRatio(j))
		}
	}
	own := c.Counts().Own.Total
	count := func(list *[]impact.LatencySlice, late *lateness) {
		late.n += n.N
		late.own += own
		*list = joined(*list, n)
	}
	if f.InBaseline(k) {
		count(&l.baseline, &l.late[len(f.Faults)])
	}
	for _, i := range f.Sets[k.Set] {
		count(&l.faults[i], &l.late[i])
	}
}

// Slower reports whether occurrence i made good answers slower; see [impact.Slower]. Where brunt itself
// was later than in the baseline by what makes an answer slower, that is unknown, and false.
func (l *Test) Slower(i int) bool {
	if l == nil {
		return false
	}
	mean := func(w lateness) time.Duration { return w.own / time.Duration(max(1, w.n)) }
	if mean(l.late[i])-mean(l.late[len(l.late)-1]) >= least {
		return false
	}
	return impact.Slower(l.baseline, l.faults[i])
}

// Tells reports whether there are enough answers for Slower to tell.
func (l *Test) Tells(i int) bool {
	return l == nil || impact.TellsSlower(l.baseline, l.faults[i])
}

// Finish puts the baseline and the faults in order, once all cells are added.
func (l *Test) Finish() {
	if l == nil {
		return
	}
	l.baseline = inOrder(l.baseline)
	for i := range l.faults {
		l.faults[i] = inOrder(l.faults[i])
	}
}

// inOrder returns slices in the order of time, each once.
func inOrder(list []impact.LatencySlice) []impact.LatencySlice {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b impact.LatencySlice) int { return cmp.Compare(a.Start, b.Start) })
	var out []impact.LatencySlice
	for _, s := range list {
		out = joined(out, s)
	}
	return out
}

// joined appends a slice, or adds it to the last one where that begins at the same time.
func joined(list []impact.LatencySlice, s impact.LatencySlice) []impact.LatencySlice {
	last := len(list) - 1
	if last < 0 || list[last].Start != s.Start {
		return append(list, s)
	}
	list[last].Add(&s)
	return list
}
