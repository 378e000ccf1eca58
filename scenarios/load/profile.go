package load

import (
	"math"
	"slices"
	"time"
)

// A Shape is an arrival schedule: a rate over time, given by its area.
type Shape interface {
	// Area returns the number of arrivals due before t, a real number.
	Area(t time.Duration) float64
	// Inverse returns the time when the area reaches n. It is the inverse of Area where the rate is not zero.
	Inverse(n float64) time.Duration
	// End returns when the schedule ends.
	End() time.Duration
}

// A Profile is a piecewise linear quantity over time: a rate of arrivals, or a number of virtual
// users. The zero value is empty and can be added to.
type Profile struct {
	pieces []piece
	begin  time.Duration
	end    time.Duration
	area   float64
	first  float64 // for a profile restricted by Only: the quantity at the beginning of the unrestricted profile
}

var _ Shape = (*Profile)(nil)

type piece struct {
	from, to float64 // seconds
	a, b     float64 // the quantity at both ends, per second
	before   float64 // area of the pieces before it
}

// NewProfile returns an empty profile that begins at start.
func NewProfile(start time.Duration) *Profile { return &Profile{begin: start, end: start} }

// Add appends a piece of length d that goes from a to b, both per second.
func (p *Profile) Add(d time.Duration, a, b float64) {
	if d <= 0 {
		return
	}
	from := p.end.Seconds()
	p.end += d
	to := p.end.Seconds()
	p.pieces = append(p.pieces, piece{from: from, to: to, a: a, b: b, before: p.area})
	p.area += (a + b) / 2 * (to - from)
}

// Begin returns when the profile begins.
func (p *Profile) Begin() time.Duration { return p.begin }

func (p *Profile) End() time.Duration { return p.end }

// At returns the quantity at t; at a jump, the value after it.
func (p *Profile) At(t time.Duration) float64 {
	x := t.Seconds()
	if t < p.begin || t >= p.end {
		return 0
	}
	for i := len(p.pieces) - 1; i >= 0; i-- {
		if s := &p.pieces[i]; x >= s.from {
			return s.a + (s.b-s.a)*(x-s.from)/(s.to-s.from)
		}
	}
	return 0
}

// Max returns the largest quantity that the profile reaches.
func (p *Profile) Max() float64 {
	m := 0.0
	for _, s := range p.pieces {
		m = max(m, s.a, s.b)
	}
	return m
}

// First returns the quantity at the beginning of the profile. For a restricted profile it is the quantity at the
// beginning of the unrestricted one, because that is the rate of the warm-up.
func (p *Profile) First() float64 {
	if p.first > 0 {
		return p.first
	}
	if len(p.pieces) == 0 {
		return 0
	}
	return p.pieces[0].a
}

// Total returns the area of the whole profile.
func (p *Profile) Total() float64 { return p.area }

func (p *Profile) Area(t time.Duration) float64 {
	x := t.Seconds()
	sum := 0.0
	for i := range p.pieces {
		s := &p.pieces[i]
		if x <= s.from {
			break
		}
		d := min(x, s.to) - s.from
		slope := (s.b - s.a) / (s.to - s.from)
		sum = s.before + s.a*d + slope*d*d/2
	}
	return sum
}

// Inverse implements [Shape]. It solves the quadratic a·d + slope·d²/2 = n in the form that loses
// no digits when the slope is small.
func (p *Profile) Inverse(n float64) time.Duration {
	if n < 0 {
		return p.begin
	}
	for i := range p.pieces {
		s := &p.pieces[i]
		size := (s.a + s.b) / 2 * (s.to - s.from)
		rest := n - s.before
		if rest > size || size == 0 || rest == size && i < len(p.pieces)-1 {
			continue
		}
		slope := (s.b - s.a) / (s.to - s.from)
		root := math.Sqrt(max(0, s.a*s.a+2*slope*rest))
		if s.a+root == 0 {
			return seconds(s.from)
		}
		return seconds(min(s.to, s.from+2*rest/(s.a+root)))
	}
	return p.end
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

// Scaled returns the profile with the quantity multiplied by f.
func (p *Profile) Scaled(f float64) *Profile {
	out := &Profile{begin: p.begin, end: p.end, area: p.area * f, pieces: slices.Clone(p.pieces)}
	for i := range out.pieces {
		q := &out.pieces[i]
		q.a, q.b, q.before = q.a*f, q.b*f, q.before*f
	}
	return out
}

// A Span is a span of time, as offsets from t0.
type Span struct{ From, To time.Duration }

// Only returns the profile with the quantity zero outside of spans, which are ascending and do not
// overlap. It begins and ends as before.
func (p *Profile) Only(spans []Span) *Profile {
	out := NewProfile(p.begin)
	out.first = p.First()
	for i := range p.pieces {
		q := &p.pieces[i]
		at, end := seconds(q.from), seconds(q.to)
		value := func(t time.Duration) float64 { return q.a + (q.b-q.a)*(t.Seconds()-q.from)/(q.to-q.from) }
		for _, s := range spans {
			from, to := max(s.From, at), min(s.To, end)
			if to <= from {
				continue
			}
			out.Add(from-at, 0, 0)
			out.Add(to-from, value(from), value(to))
			at = to
		}
		out.Add(end-at, 0, 0)
	}
	return out
}
