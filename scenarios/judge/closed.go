package judge

import (
	"maps"
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A correction is the value of an objective with the requests that users did not send while they waited.
type correction struct {
	v      float64
	holds  bool
	waited result.Note // says that users waited
}

// corrected returns the value of an objective on closed loads, corrected for the requests that waiting users did not
// send. found is false if there is no such value.
//
// The users of a closed load send nothing while they wait, so few requests fall into a stall, and counts hide it
// (coordinated omission; Tene, How NOT to Measure Latency, 2013). So an objective that holds by count is judged
// again. A percentile, and a share of answers within a time, are corrected as HdrHistogram does with an expected
// interval: for each answer that took a second or more, and for each request that timed out, the requests are added
// that its user would have sent meanwhile. The interval is the number of users of the load divided by the median of
// their requests per second. Availability is judged by time: each window counts with its length and its share of good
// answers, and a window in a stall counts as not available; see dark. If the corrected value fails, the objective is
// inconclusive: the target stalled, and it is unknown how many requests of an open load would have met the stall.
//
// Shares of errors and of checks fail only if they fail by both corrections. By time alone, a wait for an answer that
// is good in the end would count as an error, which it is not for an open load. By requests alone, a single request
// without an answer would stand for all requests that its user did not send, although other users had answers
// meanwhile.
//
// If an objective selects open and closed loads, only the closed loads are corrected.
func (f *readings) corrected(
	o slo.Objective, p phase, cells []measure.Cell, measured float64,
) (c correction, found bool) {
	row := o.Metric.Row()
	if o.Fact() || !slices.ContainsFunc(f.loadsOf(o), func(l int) bool { return f.Config.Loads[l].Closed }) {
		return correction{}, false
	}
	worse := func() bool {
		if row.Better == slo.HigherIsBetter {
			return c.v < measured
		}
		return c.v > measured
	}
	switch {
	case row.Fails:
		over, stalled := f.byTime(o, p, measured)
		c, found = f.byRequests(o, cells)
		found = found && stalled && worse()
		if over.holds && !c.holds {
			c = over
		}
		return c, found
	case row.ByTime: // quick errors make users send more, so that the value by time is better
		c, found = f.byTime(o, p, measured)
		return c, found && worse()
	case o.Metric.Percentile() || row.Count != nil && o.Metric.Span > 0:
		return f.byRequests(o, cells)
	}
	return correction{}, false
}

// byRequests corrects a value by adding the requests that users did not send.
func (f *readings) byRequests(o slo.Objective, cells []measure.Cell) (c correction, found bool) {
	sum, added := f.withUnsent(o, cells)
	limit := requests.LimitIndex(f.Config.Limits, o)
	c.v, c.holds = sum.Measure(o, limit), sum.Holds(o, limit)
	c.waited = result.Note{Kind: result.UsersWaited, Value: result.Num(c.v), Count: added}
	return c, added > 0
}

// byTime corrects a share by weighting it by time. found is false if that makes no difference.
func (f *readings) byTime(o slo.Objective, p phase, measured float64) (c correction, found bool) {
	v, stalled := f.overTime(o, p)
	c = correction{v, requests.Meets(o, v), result.Note{Kind: result.UsersWaitedByTime, Value: result.Num(v)}}
	// a stall counts however short it is in a long run
	return c, !math.IsNaN(v) && (stalled || math.Abs(v-measured) >= 1e-3)
}

// loadsOf lists the loads that an objective selects.
func (f *readings) loadsOf(o slo.Objective) (out []int) {
	for l := range f.Config.Loads {
		if requests.About(&f.Config.Series, o, l) {
			out = append(out, l)
		}
	}
	return out
}

// ofLoad returns the objective for one of the loads that it selects.
func (f *readings) ofLoad(o slo.Objective, load int) slo.Objective {
	o.Load = f.Config.Loads[load].Name
	return o
}

// overTime returns the value of a share weighted by the time of a phase. For open and closed loads together it is the
// weighted mean of the loads' values. The value of an open load is by count, with its requests as the weight. The
// weight of a closed load is the number of requests that it usually sends in the time. stalled reports whether any
// closed load was stalled.
func (f *readings) overTime(o slo.Objective, p phase) (v float64, stalled bool) {
	loads := f.loadsOf(o)
	if !slices.ContainsFunc(loads, func(l int) bool { return !f.Config.Loads[l].Closed }) {
		return f.closedOverTime(o, p)
	}
	sum, n := 0.0, 0.0
	for _, l := range loads {
		of := f.ofLoad(o, l)
		total := &requests.Sum{}
		f.eachOf(of, p, func(r *record) { total.Merge(r.Punctual()) })
		v, weight := total.Measure(of, -1), float64(total.Offered())
		if f.Config.Loads[l].Closed {
			dark := false
			v, dark = f.closedOverTime(of, p)
			weight, stalled = max(weight, f.usualRate(of)*p.Covered(f.c.Loads[l:l+1]).Seconds()), stalled || dark
		}
		if !math.IsNaN(v) && weight > 0 {
			sum, n = sum+v*weight, n+weight
		}
	}
	return sum / n, stalled
}

// eachOf calls do for each record of a phase that an objective selects.
func (f *readings) eachOf(o slo.Objective, p phase, do func(r *record)) {
	for i := range f.records {
		if r := &f.records[i]; p.has(&f.History, r.Key) && requests.Selects(&f.Config.Series, o, int(r.Series)) {
			do(r)
		}
	}
}

// closedOverTime returns the value of a share of closed loads weighted by the time of a phase, and whether the loads
// were stalled. The value is NaN without a request.
func (f *readings) closedOverTime(o slo.Objective, p phase) (value float64, stalled bool) {
	worst := 0.0
	if o.Metric.Row().Better == slo.LowerIsBetter {
		worst = 1
	}
	windows := map[time.Duration]*requests.Sum{}
	f.eachOf(o, p, func(r *record) {
		if windows[r.Start] == nil {
			windows[r.Start] = &requests.Sum{}
		}
		windows[r.Start].Merge(r.Punctual())
	})
	sum, span := 0.0, time.Duration(0)
	list := f.slicesAs(f.run(), o, f.cellsOf(p), (*measure.Counts).Punctual)
	dark := f.dark(o, list)
	for i, s := range list {
		width := min(s.End, p.To) - max(s.Start, p.From)
		if width <= 0 {
			continue
		}
		v := math.NaN()
		if w := windows[s.Start]; w != nil {
			v = w.Measure(o, -1)
		}
		if dark[i] {
			v, stalled = worst, true
		}
		if !math.IsNaN(v) {
			span += width
			sum += width.Seconds() * v
		}
	}
	return sum / span.Seconds(), stalled
}

// fewestMissed is the number of requests that must usually end in a span for a span without one to count as a stall.
const fewestMissed = 5

// dark reports for each slice whether the target was stalled in it for users of closed loads: requests were in flight
// and none ended, in a span in which five would have ended at the usual rate, and which is a stall by
// [series.ClearStalls]. A single user who waits while the others think or have ended is no stall.
func (f *readings) dark(o slo.Objective, list []effect.Slice) []bool {
	out, users := make([]bool, len(list)), 0
	for _, l := range f.loadsOf(o) {
		if f.Config.Loads[l].Closed {
			users += max(1, f.Config.Loads[l].Users)
		}
	}
	if users == 0 {
		return out
	}
	rate := f.usualRate(o)
	for from := 0; from < len(list); from++ {
		d, waiting, to := time.Duration(0), int64(0), from
		for ; to < len(list) && list[to].Stalled() && f.closedAt(o, list[to].Start); to++ {
			d, waiting = d+list[to].End-list[to].Start, max(waiting, list[to].InFlight)
		}
		if to > from && d.Seconds()*rate >= fewestMissed && (waiting > 1 || users == 1) {
			for i := from; i < to; i++ {
				out[i] = true
			}
		}
		from = max(from, to-1)
	}
	return out
}

// withUnsent returns the counts of an objective including the requests that waiting users did not send, and the
// number of those requests.
func (f *readings) withUnsent(o slo.Objective, cells []measure.Cell) (*requests.Sum, int64) {
	total, of := &measure.Cell{}, map[int]*measure.Cell{} // by load, because each load has its own timeout
	for s := range cells {
		if requests.Selects(&f.Config.Series, o, s) {
			l := f.Config.LoadOf(s)
			if of[l] == nil {
				of[l] = &measure.Cell{}
			}
			of[l].Add(&cells[s])
			total.Add(&cells[s])
		}
	}
	out, added := &requests.Sum{Counts: *total.CountsWithTimes()}, int64(0)
	out.Over = slices.Clone(out.Over)
	for l, c := range of {
		if !f.Config.Loads[l].Closed {
			continue
		}
		interval := f.expected(f.ofLoad(o, l), f.Config.Loads[l].Users)
		good := c.Response[scenarios.OK].Unsent(series.LeastStall, interval)
		bad := c.Response[scenarios.Error].Unsent(series.StallOfFailures(f.Config.Loads[l].Timeout), interval)
		more := &measure.Counts{Response: good, Service: good, Over: make([]int64, len(f.Config.Limits))}
		more.Kinds[scenarios.OK], more.Kinds[scenarios.Error] = good.Total, bad.Total
		more.Checks, more.Failed = bad.Total, bad.Total
		for i, limit := range f.Config.Limits {
			more.Over[i] = good.Total - good.UpTo(limit.At.Seconds())
		}
		out.Merge(more)
		added += good.Total + bad.Total
	}
	return out, added
}

// expected returns the usual time between two requests of one user of the load that an objective selects; zero means
// unknown.
func (f *readings) expected(o slo.Objective, users int) time.Duration {
	rate := f.usualRate(o)
	if rate == 0 {
		return 0
	}
	return time.Duration(float64(users) * float64(time.Second) / rate)
}

// usualRate returns the median number of requests per second that an objective selects, over seconds with requests;
// zero if there are none. For a load with few requests it uses spans long enough for ten requests on average, instead
// of seconds.
func (f *readings) usualRate(o slo.Objective) float64 {
	seconds, n, first, last := map[time.Duration]int64{}, int64(0), measure.Never, time.Duration(0)
	for i := range f.records {
		if r := &f.records[i]; r.Start >= 0 && r.Offered() > 0 && requests.Selects(&f.Config.Series, o, int(r.Series)) {
			at := measure.FloorSecond(r.Start)
			seconds[at] += r.Offered()
			n, first, last = n+r.Offered(), min(first, at), max(last, at)
		}
	}
	if n == 0 {
		return 0
	}
	span := last + time.Second - first
	width := min(span, max(time.Second, (10*span/time.Duration(n)).Truncate(time.Second)))
	parts := map[time.Duration]int64{}
	for at, k := range seconds {
		parts[(at-first)/width] += k
	}
	rates := slices.Sorted(maps.Values(parts))
	return float64(rates[len(rates)/2]) / width.Seconds()
}
