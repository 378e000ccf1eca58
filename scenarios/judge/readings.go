package judge

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// readings holds the counts of a recording, read back once.
type readings struct {
	*measure.Recording
	c       Case
	end     time.Duration // when the judged load ends
	records []record      // ascending
	starts  []time.Duration
	traffic []int64         // requests of the load during each occurrence
	hidden  []requests.Span // spans whose requests count as bad for the effects of faults; see seen
	windows *windowIndex    // of the records; see index

	hiddenGood bool                         // the requests of hidden count as good instead
	flows      map[[2]string][]effect.Slice // by step and load of an objective; see windowsOf

	// These are made with the index. longest has, by series, the longest good answer of a step in the baseline,
	// without brunt's own time; zero means that it has none. late has brunt's largest lag by start of a window, and
	// lagged the number of requests whose lags are known.
	longest []time.Duration
	late    map[time.Duration]time.Duration
	lagged  map[time.Duration]int64

	held     map[time.Duration]heldWindow // see heldWindows, which makes it
	beyond   time.Duration                // waits need only explain the time of an answer beyond it; see withoutHeld
	asks     *slo.Objective               // they need only explain the requests that it is about; nil means all
	heldGood bool                         // the requests of these windows count as good; see withHeldGood
	uncut    bool                         // requests that brunt cut off do not count; see withoutCut
	without  map[time.Duration]heldWindow // windows that rates leave out, by start; see withoutHeld
}

// A record is a cell without its distributions.
type record struct {
	measure.Key
	measure.Counts
	ended int64 // requests that ended in the window, whenever they were intended; so do the next two fields
	sent  int64
	ready int64
	edges measure.Edges

	answers int64 // errors that are answers, such as those with a status

	missed []measure.Missed
	waits  int64 // for a load: the number of its requests, and the lag that nine of ten of them exceed
	lag    time.Duration
	latest time.Duration // for a load: the largest lag
}

// take sets the records of a recording in order of time, and finds all windows, with and without events.
func (f *readings) take(records []record) {
	f.records = records
	for i := range records {
		f.starts = append(f.starts, records[i].Start)
	}
	for t := measure.FloorSecond(-f.c.Warmup); t < f.end; t += time.Second {
		f.starts = append(f.starts, t)
	}
	for _, m := range f.Marks {
		if m < f.end {
			f.starts = append(f.starts, m)
		}
	}
	slices.Sort(f.starts)
	f.starts = slices.Compact(f.starts)
	slices.SortStableFunc(f.records, func(a, b record) int { return cmp.Compare(a.Start, b.Start) })
}

// requests counts the requests of the load during each occurrence of a fault.
func (f *readings) requests() []int64 {
	out := make([]int64, len(f.Faults))
	for i := range f.records {
		r := &f.records[i]
		if r.Start < 0 || !f.Config.InSums(int(r.Series)) {
			continue
		}
		for _, n := range f.Sets[r.Set] {
			out[n] += r.Offered()
		}
	}
	return out
}

// slices returns the windows of the judged run that begin in a span, with the requests that objective o selects and
// for which has is true. Errors and skipped requests are bad, and so are answers that take longer than the time that
// o names, or than `judge.slow`. Failures that brunt itself caused do not count. InFlight and Ended count all
// requests that o selects, whatever has says.
func (f *readings) slices(in requests.Span, o slo.Objective, has func(measure.Key, []int32) bool) []effect.Slice {
	as := func(c *measure.Counts) *measure.Counts {
		switch c = c.Punctual(); {
		case f.uncut && o.Metric.Span == 0:
			c = c.UncutSlow()
		case f.uncut:
			c = c.Uncut(requests.LimitIndex(f.Config.Limits, o))
		}
		if o.Metric.Span == 0 {
			c.Kinds[scenarios.Error] += c.Slow
			c.Kinds[scenarios.OK] -= c.Slow
		}
		return c
	}
	if len(f.hidden) == 0 {
		return f.slicesAs(in, o, has, as)
	}
	all := f.slicesAs(f.run(), o, has, as) // they show the rate that was usual before
	return begunIn(in, supposed(all, f.hidden, f.hiddenGood))
}

// run is the span of the judged run.
func (f *readings) run() requests.Span { return requests.Span{To: f.end} }

// freezes lists the freezes of brunt itself, ascending.
func (f *readings) freezes() []measure.Freeze {
	if f.Config.Freezes == nil {
		return nil
	}
	return f.Config.Freezes()
}

// slicesAs is slices with the counts after applying a view.
func (f *readings) slicesAs(
	in requests.Span, o slo.Objective, has func(measure.Key, []int32) bool, as view,
) []effect.Slice {
	limit := -1
	if o.Metric.OfFault() {
		limit = requests.LimitIndex(f.Config.Limits, o)
	}
	at, windows := f.index(), f.windowsOf(o)
	from, to := at.Begun(max(0, in.From)), at.Begun(min(f.end, in.To))
	out := make([]effect.Slice, 0, max(0, to-from))
	for i := from; i < to; i++ {
		var cells []int
		s := windows[i]
		most, skipped := int64(0), int64(0) // bad requests of a step, and those that an error of another one left out
		took := time.Duration(0)            // the longest good answer, without brunt's own time
		for n := at.First[i]; n < at.First[i+1]; n++ {
			r := &f.records[n]
			if requests.Selects(&f.Config.Series, o, int(r.Series)) && has(r.Key, f.Sets[r.Set]) {
				c := as(&r.Counts)
				most, skipped = max(most, count(&s, c, limit)), skipped+c.Kinds[scenarios.Skipped]
				cells, took = append(cells, n), max(took, r.Own.Most)
			}
		}
		s.Failing = max(most, s.Bad-skipped)
		s.Marks = marksOf(f.records, cells, limit, took)
		out = append(out, s)
	}
	return out
}

// recordAt returns the number of the first record whose window begins at a time or later. The records are in order.
func (f *readings) recordAt(start time.Duration) int {
	i, _ := slices.BinarySearchFunc(f.records, start, func(r record, t time.Duration) int {
		return cmp.Compare(r.Start, t)
	})
	return i
}

// index returns the index of the records, once these are in order.
func (f *readings) index() *windowIndex {
	if f.windows == nil {
		f.windows = newWindowIndex(f.starts, len(f.records), len(f.Faults), func(i int) (time.Duration, []int32) {
			return f.records[i].Start, f.Sets[f.records[i].Set]
		})
		f.flows = map[[2]string][]effect.Slice{}
		f.longest, f.late = make([]time.Duration, len(f.Config.Steps)+len(f.Config.Loads)), map[time.Duration]time.Duration{}
		f.lagged = map[time.Duration]int64{}
		for i := range f.records {
			r := &f.records[i]
			f.late[r.Start] = max(f.late[r.Start], r.latest)
			f.lagged[r.Start] += r.waits
			if f.InBaseline(r.Key) && f.Config.InSums(int(r.Series)) {
				f.longest[r.Series] = max(f.longest[r.Series], r.Own.Most)
			}
		}
	}
	return f.windows
}

// windowsOf returns every window with the requests that objective o selects in flight at its begin, and those that
// ended in it.
func (f *readings) windowsOf(o slo.Objective) []effect.Slice {
	at, key := f.index(), [2]string{o.Step, o.Load}
	if f.flows[key] != nil {
		return f.flows[key]
	}
	freezes := f.freezes()
	f.flows[key] = at.Flow(func(s *effect.Slice) { s.End = min(f.EndOf(s.Start), max(f.end, s.Start+1)) },
		func(i int) (ready, ended int64) {
			if r := &f.records[i]; requests.Selects(&f.Config.Series, o, int(r.Series)) {
				return r.ready, r.ended // a request that brunt was not ready to send is not in flight
			}
			return 0, 0
		})
	for i := range f.flows[key] {
		// brunt itself stood still and ended no request, so this is no stall of the target; nor is it if the machine was
		// held and that is supposed to explain it
		s := &f.flows[key][i]
		_, held := f.held[s.Start]
		still := measure.LongestFreeze(freezes, s.Start, s.End)
		if 2*still >= s.End-s.Start || f.heldGood && held {
			s.InFlight = 0
		}
		s.Own = 4*still >= s.End-s.Start || f.late[s.Start] >= effect.Early || f.heldGood && held
	}
	series.ClearStalls(f.flows[key], at.First, len(f.Config.Steps)+len(f.Config.Loads),
		func(i int) (series.StallRecord, bool) {
			r := &f.records[i]
			of := series.StallRecord{
				Series: r.Series, Ready: r.ready, Ended: r.ended, Good: r.Kinds[scenarios.OK], Took: r.Total,
			}
			return of, requests.Selects(&f.Config.Series, o, int(r.Series))
		})
	return f.flows[key]
}

// marksOf returns a function that lists the requests of some records, because only the edges of outages need them. It
// leaves out failures that brunt itself caused. Answers are bad by the limit of an objective's own, or, if that is
// negative, by the limit of slow answers. Good requests took so long at most, without brunt's own time.
func marksOf(records []record, of []int, limit int, took time.Duration) func([]effect.Mark) []effect.Mark {
	return func(out []effect.Mark) []effect.Mark {
		var all measure.Edges
		for _, i := range of {
			all.Merge(&records[i].edges)
		}
		if limit >= 0 {
			all = all.Beyond(limit)
		}
		for _, m := range all.Marks(nil) {
			out = append(out, effect.Mark{At: m.At, Bad: m.Bad, Took: took})
		}
		return out
	}
}

// count adds the counts of a cell to a slice, and returns how many of its requests are bad.
func count(s *effect.Slice, c *measure.Counts, limit int) (bad int64) {
	bad = c.Bad()
	s.Offered += c.Offered()
	s.N += c.Offered() - c.Kinds[scenarios.Shed]
	s.Good += c.Kinds[scenarios.OK]
	if limit >= 0 && limit < len(c.Over) {
		bad += c.Over[limit]
		s.Good -= c.Over[limit]
	}
	s.Bad += bad
	return bad
}

// iterations returns how many iterations a rate counts in a span, and for how long the selected loads could begin
// iterations in it. A rate counts by intended time: requests that were due before a fault and met it do not count in
// the rate of its phase.
func (f *readings) iterations(o slo.Objective, p requests.Span, as view) (n int64, span time.Duration) {
	for i := range f.records {
		r := &f.records[i]
		_, left := f.without[r.Start]
		if r.Start >= p.From && r.Start < p.To && !left && requests.Paced(&f.Config.Series, o, int(r.Series)) {
			n += as(&r.Counts).Offered()
		}
	}
	var on []requests.Span
	for l, s := range f.c.Loads {
		if requests.About(&f.Config.Series, o, l) {
			on = append(on, s)
		}
	}
	span = p.Covered(on)
	for start := range f.without {
		left := requests.Span{From: max(start, p.From), To: min(f.EndOf(start), p.To)}
		span -= left.Covered(on)
	}
	return n, span
}

// closedAt reports whether a closed load that the objective selects runs at t.
func (f *readings) closedAt(o slo.Objective, t time.Duration) bool {
	for i, l := range f.Config.Loads {
		if l.Closed && requests.About(&f.Config.Series, o, i) && t >= f.c.Loads[i].From && t < f.c.Loads[i].To {
			return true
		}
	}
	return false
}

// after returns the first fault that was injected after occurrence i.
func (f *readings) after(i int) *measure.Occurrence {
	var next *measure.Occurrence
	for j := range f.Faults {
		if g := &f.Faults[j]; j > i && g.Name != "" && (next == nil || g.Injected < next.Injected) {
			next = g
		}
	}
	return next
}

// recordOf returns a cell as a record.
func recordOf(k measure.Key, c *measure.Cell) record {
	r := record{
		Key: k, Counts: *c.Counts(), ended: c.During.Ended, sent: c.During.Sent, ready: c.During.Ready,
		edges: c.Edges.Clone(), answers: c.Answers(), missed: slices.Clone(c.Late.Missed),
	}
	if r.waits = c.Lag.Total; r.waits > 0 {
		r.lag, r.latest = c.Lag.Quantile(.1).D(), c.Lag.Most
	}
	r.Over, r.Own.Over, r.Cut.Over = slices.Clone(r.Over), slices.Clone(r.Own.Over), slices.Clone(r.Cut.Over)
	return r
}
