package effect

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios/result"
)

// An Incident is a span of the load in which the share of bad requests exceeds the limit, whatever the cause.
type Incident struct {
	Begin   time.Duration // time of its first bad request; see Mark
	BeginIn Range
	End     time.Duration // time of the first good request after its last bad one, or the end of the load
	EndIn   Range
	Over    bool // the incident was over before the load ended
	// lower bound of the end; if the load ended within a hold of the last bad request, the time of that request
	NotBefore time.Duration
	Degraded  time.Duration // sum of its spans of bad requests
	Paused    time.Duration // length of its longest pause

	// Parts are its spans of bad service, ascending, with a second or more of good service between them; see stretch.
	// It is nil if there is none between.
	Parts []Incident
}

// Incidents finds the incidents of a load in the order of time. It uses only the slices of q, which must be those of
// the whole load, the horizon, the limit and the hold.
//
// The rules are those of a fault's impact, but no instant is special: an incident may begin before the first
// injection and be part of the baseline. So it is compared with the limit alone, and the clustering of errors is
// computed from slices within the limit that are not stalled. Spans with less than a hold of good requests between
// them are one incident. A run that is bad all along is one incident. A pause of users is an incident too.
func Incidents(q Question) []Incident {
	q.Injected, q.Cleared = 0, forever
	var calm []Slice
	for i := range q.Slices {
		s := &q.Slices[i]
		late := i > 0 && q.Slices[i-1].Stalled() // all that waited ends in it
		if float64(s.Bad) <= q.Limit*float64(s.N) && !s.Stalled() && !late {
			calm = append(calm, *s)
		}
	}
	c := newChances(calm, q.Limit).among(q.Slices)
	c.p0 = 0
	var out []Incident
	for first := 0; first < len(q.Slices); {
		ws := c.searched(q.Slices, first, q.Horizon)
		at, sure := firstOnset(ws)
		if at < 0 {
			break
		}
		width := max(time.Second, ws[at].End-ws[at].Start)
		onset := c.locate(q.Slices, ws, at, first)
		begin := c.badFrom(q, first, onset, width)
		in := Incident{
			Begin: begin.At, BeginIn: begin.Range, End: q.Horizon, EndIn: Range{result.Sec(q.Horizon), result.Sec(q.Horizon)},
		}
		from := max(onset, ws[sure].from)
		good := c.recovery(q, onset, from)
		for good.state == recovered { // the hold may begin with the end of the incident
			after := c.searched(q.Slices, good.from, q.Horizon)
			next, last := firstOnset(after)
			if next != 0 || c.locate(q.Slices, after, next, good.from) >= good.to { // bad again after the hold: another incident
				break
			}
			from = max(good.from, after[last].from)
			good = c.recovery(q, onset, from)
		}
		in.NotBefore = c.notBefore(q, onset, good)
		first = len(q.Slices)
		if good.state == recovered {
			end := c.goodFrom(q, onset, good.from, width)
			in.End, in.EndIn, in.Over, in.NotBefore = end.At, end.Range, true, end.At
			first = good.from
			for first < len(q.Slices)-1 && q.Slices[first].End <= end.At {
				first++
			}
		}
		if sum, known := c.badTime(q, max(0, onset-1), in.End); known {
			in.Degraded = sum
		} else {
			in.Degraded = in.End - in.Begin
		}
		in.Parts = c.parts(q, in, onset, first)
		out = append(out, in)
	}
	return Union(out, c.pauses(q))
}

// pauses returns the pauses of a load as incidents.
func (c chances) pauses(q Question) (out []Incident) {
	for first := 0; ; {
		p, found := c.pausedAmong(q, first)
		if !found {
			return out
		}
		first = p.slice + 1
		out = append(out, Incident{
			Begin: p.begin.At, BeginIn: p.begin.Range, End: p.end.At, EndIn: p.end.Range, Over: true, NotBefore: p.end.At,
			Degraded: p.end.At - p.begin.At, Paused: p.end.At - p.begin.At,
		})
	}
}

// parts divides an incident, of the slices in [onset, to), by its good stretches.
func (c chances) parts(q Question, in Incident, onset, to int) []Incident {
	stretches := c.stretches(q, onset, to)
	if len(stretches) < 2 {
		return nil
	}
	var out []Incident
	for i, s := range stretches {
		part := in
		if i > 0 {
			part.Begin, part.BeginIn = s.begin.At, s.begin.Range
		}
		if i+1 < len(stretches) {
			part.End, part.EndIn, part.Over, part.NotBefore = s.end.At, s.end.Range, true, s.end.At
		}
		part.Degraded = part.End - part.Begin
		if sum, known := c.badTime(q, max(0, s.from-1), part.End); known {
			part.Degraded = min(part.Degraded, sum)
		}
		out = append(out, part)
	}
	return out
}

// Union joins two lists of incidents. Incidents that overlap become one, from the earlier begin to the later end.
func Union(a, b []Incident) []Incident {
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(a, b Incident) int { return cmp.Compare(a.Begin, b.Begin) })
	var out []Incident
	for _, in := range all {
		if len(out) == 0 || in.Begin-width(in.BeginIn) > out[len(out)-1].End {
			out = append(out, in)
			continue
		}
		last := &out[len(out)-1]
		if last.Parts != nil || in.Parts != nil {
			last.Parts = Union(last.parts(), in.parts())
		}
		// the same begin, known more exactly
		if in.Begin-last.Begin <= width(last.BeginIn) && width(in.BeginIn) < width(last.BeginIn) {
			last.Begin, last.BeginIn = in.Begin, in.BeginIn
		}
		last.Degraded, last.Paused = max(last.Degraded, in.Degraded), max(last.Paused, in.Paused)
		same := (in.End - last.End).Abs() <= max(width(in.EndIn), width(last.EndIn))
		if same && width(in.EndIn) < width(last.EndIn) || !same && in.End > last.End {
			last.End, last.EndIn, last.Over, last.NotBefore = in.End, in.EndIn, in.Over, in.NotBefore
		}
	}
	return out
}

// parts returns the parts of an incident, which is itself the only one if it has no others.
func (in Incident) parts() []Incident {
	if in.Parts == nil {
		in.Parts = []Incident{in}
	}
	return in.Parts
}

func width(r Range) time.Duration { return (r.High - r.Low).D() }
