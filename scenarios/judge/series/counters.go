package series

import (
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// leastReadings is the least number of readings of a counter in a phase from which its growth there is judged.
const leastReadings = 3

// judgeCounters judges an objective on the growth of counters in a phase. The growth is the sum over all series of a
// name. It may be divided by the growth of another name, or by the number of requests.
func judgeCounters(
	o slo.Objective, phase slo.Phase, in requests.Span, series []result.Series, sent int64,
) result.ObjectiveResult {
	r := requests.Unanswered(phase)
	all := growthOf(o.Metric.Source, phase, in, series)
	r.Count = all.readings
	by, why, missing := 1.0, all.why, all.missing
	if o.Metric.By != "" && why == nil {
		of := growthOf(o.Metric.By, phase, in, series)
		by, why = of.v, of.why
		if why == nil && by == 0 {
			why = result.Notes{{Kind: result.GrowthNone, Of: o.Metric.By, Phase: phase}}
		}
		if missing == nil {
			missing = of.missing
		}
	}
	if o.Metric.PerRequest() && why == nil {
		if by = float64(sent); sent == 0 {
			why = result.Notes{{Kind: result.RequestsUnsent, Phase: phase}}
		}
	}
	if why != nil {
		r.Because = why
		return r
	}
	if missing != nil {
		if r.Because = missing; o.Metric.By == "" { // what is missing can only add to the growth
			r.Low = result.Num(all.least / by)
			if held := o.Holds(float64(r.Low)); o.Op != "=" && held != o.Upper() {
				r.Verdict, r.Because = requests.VerdictIf(held), nil
			}
		}
		return r
	}
	r.Measured, r.Verdict = result.Num(all.v/by), scenarios.Fail
	if o.Holds(float64(r.Measured)) {
		r.Verdict = scenarios.Pass
	}
	if o.Metric.Divided() {
		r.Because = result.Notes{{Kind: result.GrowthFor, Value: result.Num(all.v), Base: result.Num(by)}}
	}
	return r
}

// grown is the growth of all series of a name in a phase.
type grown struct {
	v, least float64      // with the growth before the first reading and after the last, and between them alone
	readings int64        // most readings of a series in the phase
	why      result.Notes // why the growth is unknown; nil if it is known
	missing  result.Notes // why the growth may be larger by any amount; nil if it can't be
}

// growthOf returns by how much all series of a name together grew in a phase.
func growthOf(name string, phase slo.Phase, in requests.Span, series []result.Series) grown {
	var out grown
	first := math.Inf(1) // time of the first reading of the name
	every := time.Duration(0)
	var all []*result.Series
	unread := ""
	for i := range series {
		if s := &series[i]; s.Name == name && len(s.Points) == 0 {
			unread = s.Unread
		} else if s.Name == name {
			all = append(all, s)
			first, every = min(first, float64(s.Points[0].T)), s.Every.D()
		}
	}
	pages := map[string]*page{}
	for _, s := range all {
		c := counterOf(s, first)
		out.v += c.in(in.From.Seconds(), in.To.Seconds(), float64(s.Every))
		out.least += c.in(in.From.Seconds(), in.To.Seconds(), 0)
		out.readings = max(out.readings, c.within(in))
		p := pages[s.Labels["unit"]]
		if p == nil {
			p = &page{}
			pages[s.Labels["unit"]] = p
		}
		p.add(&c)
	}
	gap := time.Duration(0)
	for _, p := range pages {
		gap = max(gap, p.gap(in, every))
	}
	switch {
	case len(all) == 0:
		out.why = result.Notes{{Kind: result.ValueUnknown, Of: name, Text: unread}}
	case out.readings < leastReadings:
		out.why = result.Notes{{
			Kind: result.FewReadings, Of: name, Count: out.readings, Phase: phase, Need: leastReadings, For: result.Sec(every),
		}}
	case gap > 0:
		out.missing = result.Notes{{
			Kind: result.GrowthMissing, Of: name, Count: out.readings, Phase: phase, For: result.Sec(gap),
		}}
	}
	return out
}

// A page is where series were read together, that of a unit. A series that is missing in a reading of it has not begun.
type page struct {
	at    []float64
	began bool // no series was read before it began
}

// add adds the readings of a counter.
func (p *page) add(c *counter) {
	p.at = append(p.at, c.at...)
	p.began = c.began && (p.began || len(p.at) == len(c.at))
}

// gap returns for how long at an edge of a phase the growth of the counters of a page is not known; see [edgeGap].
func (p *page) gap(in requests.Span, every time.Duration) time.Duration {
	if len(p.at) == 0 {
		return in.Length()
	}
	first := in.From
	if !p.began {
		first = result.Num(slices.Min(p.at)).D()
	}
	return edgeGap(in, first, result.Num(slices.Max(p.at)).D(), every)
}

// A counter is the growth of one series since its first reading.
type counter struct {
	at, grew []float64
	began    bool // the counter was zero at its first reading
}

// counterOf adds up the growth of a series between its readings. A series that was missing when its name was first
// read began at zero, like a counter of a kind of error that appears with the first error.
func counterOf(s *result.Series, first float64) counter {
	var c counter
	var sum, was float64
	for _, p := range s.Points {
		t, v := float64(p.T), float64(p.V)
		switch {
		case math.IsNaN(v):
			continue
		case len(c.at) == 0 && t > first:
			c.at, c.grew, c.began = append(c.at, max(first, t-float64(s.Every))), append(c.grew, 0), true
			sum = v
		case len(c.at) > 0 && v < was: // the counter was reset
			sum += v
		case len(c.at) > 0:
			sum += v - was
		}
		was = v
		c.at, c.grew = append(c.at, t), append(c.grew, sum)
	}
	return c
}

// in returns the growth from one instant to another. If the readings begin later or end earlier, the growth is
// extrapolated at its mean rate, as in Prometheus: over the gap, or, if the gap is longer than one and a half times
// the time between two readings, over half that time.
func (c counter) in(from, to, every float64) float64 {
	if len(c.at) < 2 {
		return 0
	}
	begin, end := max(from, c.at[0]), min(to, c.at[len(c.at)-1])
	if end <= begin {
		return 0
	}
	gap := func(length float64) float64 {
		if length > 1.5*every {
			return every / 2
		}
		return length
	}
	more := gap(to - end)
	if !c.began {
		more += gap(begin - from)
	}
	grew := c.until(end) - c.until(begin)
	return grew + grew*more/(end-begin)
}

// until returns the growth up to an instant within the readings, by linear interpolation.
func (c counter) until(t float64) float64 {
	for i := range c.at {
		switch {
		case c.at[i] < t:
			continue
		case i == 0:
			return 0
		}
		return c.grew[i-1] + (c.grew[i]-c.grew[i-1])*(t-c.at[i-1])/(c.at[i]-c.at[i-1])
	}
	return c.grew[len(c.grew)-1]
}

// within counts the readings in a span.
func (c counter) within(in requests.Span) (n int64) {
	for _, t := range c.at {
		if t > in.From.Seconds() && t <= in.To.Seconds() {
			n++
		}
	}
	return n
}
