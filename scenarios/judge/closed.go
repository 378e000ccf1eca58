package judge

import (
	"fmt"
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/counted"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// stall is the least time for which a user of a closed load waits in a stall. Shorter times are what
// the target takes: users of a real service wait for those as well.
const stall = time.Second

// stallOfFailures is the least time for which a user of a load waits in a stall before its request fails: nine tenths of
// the load's timeout, where that is shorter than a stall. One that is refused at once is no wait.
func stallOfFailures(load *measure.SeriesLoad) time.Duration {
	if t := load.Timeout; t > 0 {
		return min(stall, t/10*9)
	}
	return stall
}

// correct holds the result of an objective on closed loads against what their users did not send.
//
// The users of a closed load send nothing while they wait, so a stall leaves few requests behind, and
// counts hide it (coordinated omission; Tene, How NOT to Measure Latency, 2013). So an objective that
// holds by count is judged once more. A percentile, and a share of answers within a time, are corrected
// as HdrHistogram does with an expected interval: for each answer that took a second or more, and each
// request that timed out, the requests are added that its user would have sent meanwhile. The interval is
// the number of users over the median of their requests per second. Availability is judged by time: each
// window counts with its length and its share of good answers, and one in which requests were in flight
// and none ended is not available. Where the corrected value fails, the objective is inconclusive: the target stalled, and how
// many requests of an open load would have met that is unknown.
func (f *composer) correct(o slo.Objective, p phase, cells []measure.Cell, r *result.ObjectiveResult) {
	if o.Fact() || !f.allClosed(o) {
		return
	}
	var v float64
	var holds bool
	var why string
	switch row := o.Metric.Row(); {
	case row.ByTime:
		if v = f.byTime(o, p); math.IsNaN(v) || math.Abs(v-float64(r.Measured)) < 1e-3 {
			return
		}
		holds = counted.Meets(o, v)
		why = "users waited instead of sending: it is " + o.Metric.FormatValue(v) + " by time"
	case o.Metric.Percentile() || row.Count != nil && o.Metric.Span > 0:
		sum, added := f.withUnsent(o, cells)
		if added == 0 {
			return
		}
		limit := counted.LimitIndex(f.Config.Limits, o)
		v, holds = sum.Measure(o, limit), sum.Holds(o, limit)
		why = fmt.Sprintf("users waited instead of sending: it is %s with the %d requests that they did not send", o.Metric.FormatValue(v), added)
	default:
		return
	}
	corrected := result.Num(v)
	r.Corrected = &corrected
	if r.Verdict == scenarios.Pass {
		r.Note = why
		if !holds {
			r.Verdict = scenarios.Inconclusive
		}
	}
}

// allClosed reports whether every load that an objective selects is closed.
func (f *readings) allClosed(o slo.Objective) bool {
	for l := range f.Config.Loads {
		if counted.About(&f.Config.Series, o, l) && !f.Config.Loads[l].Closed {
			return false
		}
	}
	return true
}

// byTime is the value of a share over the time of a phase.
func (f *readings) byTime(o slo.Objective, p phase) float64 {
	row := o.Metric.Row()
	sum, span := 0.0, time.Duration(0)
	for _, s := range f.slicesAs(o, p.has, (*measure.Counts).Punctual) {
		width := min(s.End, p.To) - max(s.Start, p.From)
		if width <= 0 {
			continue
		}
		switch {
		case s.Stalled() && f.closedAt(o, s.Start):
			span += width
		case s.Offered > 0:
			span += width
			sum += width.Seconds() * row.Of(slo.Counts{OK: s.Good, Shed: s.Offered - s.N, Error: s.Bad})
		}
	}
	return sum / span.Seconds()
}

// withUnsent returns the counts of an objective with the requests that waiting users did not send, and
// how many those are.
func (f *readings) withUnsent(o slo.Objective, cells []measure.Cell) (*counted.Sum, int64) {
	total, of := &measure.Cell{}, map[int]*measure.Cell{} // by load: each has a timeout of its own
	for s := range cells {
		if counted.Selects(&f.Config.Series, o, s) {
			l := f.Config.LoadOf(s)
			if of[l] == nil {
				of[l] = &measure.Cell{}
			}
			of[l].Add(&cells[s])
			total.Add(&cells[s])
		}
	}
	out, added := &counted.Sum{Counts: *total.CountsWithTimes()}, int64(0)
	out.Over = slices.Clone(out.Over)
	interval := f.expected(o)
	for l, c := range of {
		good := c.Response[scenarios.OK].Unsent(stall, interval)
		bad := c.Response[scenarios.Error].Unsent(stallOfFailures(&f.Config.Loads[l]), interval)
		more := &measure.Counts{Response: good, Service: good, Over: make([]int64, len(f.Config.Limits))}
		more.Kinds[scenarios.OK], more.Kinds[scenarios.Error] = good.Total, bad.Total
		for i, limit := range f.Config.Limits {
			more.Over[i] = good.Total - good.UpTo(limit.At.Seconds())
		}
		out.Merge(more)
		added += good.Total + bad.Total
	}
	return out, added
}

// expected is the usual time between two requests of a user of the loads that an objective selects; zero
// where it is unknown.
func (f *readings) expected(o slo.Objective) time.Duration {
	users := 0
	for l, load := range f.Config.Loads {
		if counted.About(&f.Config.Series, o, l) {
			if load.Users == 0 {
				return 0
			}
			users += load.Users
		}
	}
	seconds := map[time.Duration]int64{}
	for i := range f.records {
		if r := &f.records[i]; r.Start >= 0 && counted.Selects(&f.Config.Series, o, int(r.Series)) {
			seconds[measure.FloorSecond(r.Start)] += r.Offered()
		}
	}
	var rates []int64
	for _, n := range seconds {
		rates = append(rates, n)
	}
	if len(rates) == 0 {
		return 0
	}
	slices.Sort(rates)
	rate := max(1, rates[len(rates)/2])
	return time.Duration(users) * time.Second / time.Duration(rate)
}
