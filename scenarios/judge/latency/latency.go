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
	met      [][]impact.LatencySlice // by the set of faults that the requests met
	late     []lateness              // likewise; that of no fault is the baseline
	sets     [][]int32               // occurrences, by set
}

// lateness is brunt's own time in good answers.
type lateness struct {
	n   int64
	own time.Duration
}

func (w *lateness) add(v lateness) {
	w.n += v.n
	w.own += v.own
}

func (w lateness) mean() time.Duration { return w.own / time.Duration(max(1, w.n)) }

// least is the least time by which an answer is slower, whatever the baseline.
const least = 200 * time.Microsecond

// New returns the test of a recording with its baseline, by series; nil where no fault was injected.
func New(f *measure.Recording, baseline []measure.Counts) *Test {
	if f.FirstInjection() == measure.Never {
		return nil
	}
	l := &Test{limits: make([][2]float64, len(baseline)), met: make([][]impact.LatencySlice, len(f.Sets)), late: make([]lateness, len(f.Sets)), sets: f.Sets}
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
	switch late := &l.late[k.Set]; {
	case f.InBaseline(k):
		l.baseline = joined(l.baseline, n)
		late.add(lateness{n.N, c.Counts().Own.Total})
	case len(f.Sets[k.Set]) > 0:
		l.met[k.Set] = joined(l.met[k.Set], n)
		late.add(lateness{n.N, c.Counts().Own.Total})
	}
}

// during returns the answers to requests that met any of some occurrences.
func (l *Test) during(of []int) (out []impact.LatencySlice, late lateness) {
	for set, members := range l.sets {
		if slices.ContainsFunc(members, func(i int32) bool { return slices.Contains(of, int(i)) }) {
			out = append(out, l.met[set]...)
			late.add(l.late[set])
		}
	}
	return inOrder(out), late
}

// Slower reports whether occurrences, which are taken for one, made good answers slower; see [impact.Slower]. Where brunt
// itself was later than in the baseline by what makes an answer slower, that is unknown, and false.
func (l *Test) Slower(of ...int) bool {
	if l == nil {
		return false
	}
	met, late := l.during(of)
	return late.mean()-l.late[0].mean() < least && impact.Slower(l.baseline, met)
}

// Tells reports whether there are enough answers for Slower to tell.
func (l *Test) Tells(i int) bool {
	if l == nil {
		return true
	}
	met, _ := l.during([]int{i})
	return impact.TellsSlower(l.baseline, met)
}

// Finish puts the baseline in order, once all cells are added.
func (l *Test) Finish() {
	if l != nil {
		l.baseline = inOrder(l.baseline)
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
