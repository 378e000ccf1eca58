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

// QuietFor is how long the traffic on links is counted before the load begins. The growth in that time is taken off
// the growth under load.
const QuietFor = 2 * time.Second

// Open returns by how many calls per request the background of one link may be wrong in a phase. Calls that come at
// regular intervals may come once more, or once less, than their rate says: in the quiet time, and in the phase.
func Open(length, quiet time.Duration, sent float64) float64 {
	return (length.Seconds()/quiet.Seconds() + 1) / sent
}

// JudgeLink judges an objective on the calls on a link. sent is the number of requests of the load in the phase.
func JudgeLink(
	o slo.Objective, phase slo.Phase, in requests.Span, links []result.Link, sent int64,
) result.ObjectiveResult {
	r := requests.Unanswered(phase)
	of := slices.DeleteFunc(slices.Clone(links), func(l result.Link) bool { return !o.Metric.OnLink(l.From, l.To) })
	a, readings, why := amplified(o.Metric.Source, phase, in, of, sent)
	if r.Count = readings; why == nil {
		why = unread(o.Metric.Source, of)
	}
	if why != nil {
		r.Because = why
		return r
	}
	r.Measured, r.Low, r.High = a.Value, a.Low, a.High
	r.Because = result.Notes{{Kind: result.GrowthFor, Value: a.Grew, Base: result.Num(sent)}}
	r.Verdict = requests.VerdictIf(o.Holds(float64(a.Value)))
	if o.Holds(float64(a.Low)) != o.Holds(float64(a.High)) {
		r.Verdict = scenarios.Inconclusive
		r.Because = append(r.Because, result.Note{Kind: result.CallsBetween, Low: a.Low, High: a.High})
	}
	return r
}

// unread explains why the number of calls is unknown: brunt counted bytes, did not read some connections, or did not
// count without load. It is nil if the number is known.
func unread(name string, links []result.Link) result.Notes {
	var connections int64
	for i := range links {
		connections += links[i].Unread
	}
	switch {
	case connections > 0:
		return result.Notes{{Kind: result.ConnectionsUnread, Of: name, Count: connections}}
	case slices.ContainsFunc(links, func(l result.Link) bool { return !l.Calls }):
		return result.Notes{{Kind: result.CallsUnread, Of: name}}
	case slices.ContainsFunc(links, func(l result.Link) bool { return l.Quiet == 0 }):
		return result.Notes{{Kind: result.QuietNone, Of: name}}
	}
	return nil
}

// longestGap and two times that between readings are the longest time, in seconds, from the last reading of a link to
// the end of a phase in which its calls are known. A reading may take a second, and the load has to end after it.
const longestGap = 3.

// amplified returns the growth of the counters of links for each request in a phase. The bounds of the value assume
// nothing about the times of calls between two readings. why explains why the value is unknown; nil if it is known.
func amplified(
	name string, phase slo.Phase, in requests.Span, links []result.Link, sent int64,
) (a result.AmplifiedPhase, readings int64, why result.Notes) {
	var grew, low, high float64
	every := time.Duration(0)
	readings = math.MaxInt64
	last := math.Inf(1) // of the readings
	from, to := in.From.Seconds(), in.To.Seconds()
	for i := range links {
		l := &links[i]
		every = l.Every.D()
		c := counterOf(&result.Series{Points: l.Points, Every: l.Every}, math.Inf(1))
		readings = min(readings, c.within(in))
		if n := len(c.at); n > 0 {
			last = min(last, c.at[n-1])
		}
		one := c.in(from, to, every.Seconds())
		least, most := c.bounds(from, to)
		if l.Quiet > 0 {
			own, open := float64(l.Background)*in.Length().Seconds(), Open(in.Length(), l.Quiet.D(), 1)
			one, least, most = one-own, least-own-open, most-max(0, own-open)
		}
		grew, low, high = grew+one, low+least, high+most
	}
	switch {
	case len(links) == 0:
		return a, 0, result.Notes{{Kind: result.ValueUnknown, Of: name}}
	case sent == 0:
		return a, readings, result.Notes{{Kind: result.RequestsUnsent, Phase: phase}}
	case readings < leastReadings:
		return a, readings, result.Notes{{
			Kind: result.FewCounts, Of: name, Count: readings, Phase: phase, Need: leastReadings,
			For: result.Sec(every),
		}}
	case in.To.Seconds() > last+longestGap+2*every.Seconds():
		return a, readings, result.Notes{{Kind: result.ValueUnknownThen, Of: name}}
	}
	per := func(v float64) result.Num { return result.Num(max(0, v) / float64(sent)) }
	return result.AmplifiedPhase{
		Phase: phase, Grew: result.Num(max(0, grew)), Requests: sent, Value: per(grew), Low: per(low), High: per(high),
	}, readings, nil
}

// bounds returns by how much a counter grew at least and at most from one instant to another, whenever it grew between
// two readings. Beyond the readings it assumes the mean rate.
func (c counter) bounds(from, to float64) (least, most float64) {
	if len(c.at) < 2 {
		return 0, 0
	}
	before := func(t float64) float64 { // at the last reading up to t
		i, exact := slices.BinarySearch(c.at, t)
		if !exact {
			i--
		}
		return c.grew[max(0, i)]
	}
	after := func(t float64) float64 { // at the first reading from t on
		i, _ := slices.BinarySearch(c.at, t)
		return c.grew[min(i, len(c.grew)-1)]
	}
	mean := c.in(from, to, math.Inf(1))
	least, most = max(0, before(to)-after(from)), after(to)-before(from)
	return min(least, mean), max(most, mean)
}

// Amplifications returns the amplification of the links between each two services in each phase in which it is known:
// calls, or bytes if no link has calls. If one link has calls and another bytes, neither is known of all, and the links
// are left out. A link without traffic fits both.
func Amplifications(links []result.Link, phases []slo.Phase, spans []requests.Span, sent []int64) (
	out []result.Amplification,
) {
	type ends struct{ from, to string }
	var order []ends
	all := map[ends][]result.Link{}
	for _, l := range links {
		e := ends{slo.ServiceOf(l.From), slo.ServiceOf(l.To)}
		if all[e] == nil {
			order = append(order, e)
		}
		all[e] = append(all[e], l)
	}
	for _, e := range order {
		a := result.Amplification{From: e.from, To: e.to, Unit: result.UnitCalls, Phases: []result.AmplifiedPhase{}}
		of := all[e]
		switch {
		case slices.ContainsFunc(of, func(l result.Link) bool { return l.Calls && l.Unread > 0 }):
			continue // of a brunt that counted no bytes on such links
		case !slices.ContainsFunc(of, func(l result.Link) bool { return l.Calls && !l.Silent() }) &&
			slices.ContainsFunc(of, func(l result.Link) bool { return !l.Calls }):
			a.Unit = result.UnitBytes
		case slices.ContainsFunc(of, func(l result.Link) bool { return !l.Calls && !l.Silent() }):
			continue
		}
		for i, phase := range phases {
			if one, _, why := amplified("", phase, spans[i], of, sent[i]); why == nil {
				a.Phases = append(a.Phases, one)
			}
		}
		if len(a.Phases) > 0 {
			out = append(out, a)
		}
	}
	return out
}
