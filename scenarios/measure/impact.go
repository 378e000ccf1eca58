package measure

import (
	"math"
	"time"

	"brunt/scenarios"
)

// A Slice is a window as impact and recovery see it: the requests that an
// objective is about, by intended time.
type Slice struct {
	Start, End time.Duration
	N          int64 // offered, the shed left out
	Bad        int64
	Offered    int64
	Good       int64
	Ended      int64 // requests that ended during the slice, whenever intended
	InFlight   int64 // iterations under way at most
}

// A Question asks what a fault did to the load.
type Question struct {
	Slices   []Slice
	Baseline []Slice // before the first injection
	Injected time.Duration
	Cleared  time.Duration // the end of time when it never was
	Horizon  time.Duration // until when what is seen is this fault's doing
	Limit    float64       // L: the share of bad requests that counts
	Hold     time.Duration
}

// An Answer is what a fault did. Times are offsets from t0; NaN is never.
type Answer struct {
	Impact      scenarios.Impact
	OnsetAt     scenarios.Num
	FailoverAt  scenarios.Num
	RecoveredAt scenarios.Num
	Degraded    time.Duration
	Failed      int64
	Area        float64       // seconds
	Resolution  time.Duration // of onset and recovery
	Note        string
}

const (
	// tailBad is the chance below which a window's bad requests are no accident.
	tailBad = 0.01
	// tailStrong is the chance below which one window stands for two of three.
	tailStrong = 1e-6
	// expected is how many bad requests at the limit a window must have room for.
	expected = 5
	// narrow is how much under a second a window may last: the part of a second
	// that follows an injection stands for it.
	narrow = 950 * time.Millisecond
)

// tile is a window of detection: slices joined until the limit could be seen.
type tile struct {
	Slice
	from, to int  // slices
	partial  bool // the data ended before it was wide enough
}

func (t *tile) join(s Slice) {
	t.End = s.End
	t.N += s.N
	t.Bad += s.Bad
	t.Ended += s.Ended
	t.InFlight = max(t.InFlight, s.InFlight)
}

// tiles joins slices from the one at index from on, up to horizon, into windows in
// which n*L >= 5.
func tiles(slices []Slice, from int, horizon time.Duration, limit float64) []tile {
	var out []tile
	var t *tile
	for i := from; i < len(slices) && slices[i].End <= horizon; i++ {
		if t == nil {
			out = append(out, tile{Slice: Slice{Start: slices[i].Start}, from: i})
			t = &out[len(out)-1]
		}
		t.join(slices[i])
		t.to = i + 1
		if float64(t.N)*limit >= expected && t.End-t.Start >= narrow {
			t = nil
		}
	}
	if t != nil {
		t.partial = true
	}
	return out
}

// chances judges windows against a baseline.
type chances struct {
	limit float64
	p0    float64 // the baseline's bad share
	phi   float64 // its dispersion: errors come in clusters
}

// newChances takes p0 and phi = max(1, var/mean of the bad counts) from the
// baseline, in windows as wide as those that will be judged.
func newChances(baseline []Slice, limit float64) chances {
	c := chances{limit: limit, phi: 1}
	var n, bad int64
	for _, s := range baseline {
		n += s.N
		bad += s.Bad
	}
	if n == 0 {
		return c
	}
	c.p0 = float64(bad) / float64(n)
	var counts []float64
	for _, t := range tiles(baseline, 0, math.MaxInt64, limit) {
		if !t.partial {
			counts = append(counts, float64(t.Bad))
		}
	}
	if len(counts) < 5 { // too few to tell: single slices will do
		counts = counts[:0]
		for _, s := range baseline {
			counts = append(counts, float64(s.Bad))
		}
	}
	c.phi = max(1, dispersion(counts))
	return c
}

// dispersion is the variance of counts over their mean; 1 for a Poisson process.
func dispersion(counts []float64) float64 {
	if len(counts) < 2 {
		return 1
	}
	mean := 0.0
	for _, x := range counts {
		mean += x
	}
	mean /= float64(len(counts))
	if mean == 0 {
		return 1
	}
	v := 0.0
	for _, x := range counts {
		v += (x - mean) * (x - mean)
	}
	return v / float64(len(counts)-1) / mean
}

// tail is the chance of a window at least as bad, if the share were no more than
// the limit or twice the baseline's.
func (c chances) tail(n, bad int64) float64 {
	return upperTail(float64(bad)/c.phi, float64(n)/c.phi, max(2*c.p0, c.limit))
}

// verdictOf a window.
type verdictOf uint8

const (
	unknown verdictOf = iota
	good
	bad
	strong // bad beyond doubt
)

func (c chances) judge(t *tile) verdictOf {
	stalled := t.InFlight > 0 && t.Ended == 0
	switch {
	case t.N == 0 && !stalled:
		return unknown
	case t.N > 0 && float64(t.Bad)/float64(t.N) > c.limit:
		switch p := c.tail(t.N, t.Bad); {
		case p < tailStrong:
			return strong
		case p < tailBad && !t.partial:
			return bad
		}
	}
	switch {
	case stalled && !t.partial:
		return bad
	case t.partial:
		return unknown
	}
	return good
}

// Ask finds impact and recovery.
//
// Onset: the first bad window of a two-of-three at or after the injection, or one
// that is bad beyond doubt; within it the slice that splits it best into before and
// after (the change point of greatest likelihood; Page, 1954).
//
// Recovered: the start of the first hold over which the pooled bad share has an
// upper bound no higher than the limit. If the fault does harm again while it is
// in, or within a hold of its clearing, that is the same episode, and recovery is
// looked for after it.
func Ask(q Question) Answer {
	a := Answer{Impact: scenarios.NotImpacted, OnsetAt: scenarios.NaN, FailoverAt: scenarios.NaN, RecoveredAt: scenarios.NaN, Resolution: time.Second}
	c := newChances(q.Baseline, q.Limit)
	first := 0
	for first < len(q.Slices) && q.Slices[first].Start < q.Injected {
		first++
	}
	ts := tiles(q.Slices, first, q.Horizon, q.Limit)
	verdicts := make([]verdictOf, len(ts))
	full := 0
	for i := range ts {
		verdicts[i] = c.judge(&ts[i])
		if verdicts[i] != unknown {
			full++
		}
	}
	at := firstOnset(verdicts, 0)
	if at < 0 {
		if full == 0 {
			a.Impact = scenarios.UnknownYet
			a.Note = "too few requests after the injection to tell"
		}
		a.count(q, c, q.Injected, max(q.Injected, min(q.Cleared, q.Horizon)))
		a.RecoveredAt = scenarios.Sec(q.Injected)
		return a
	}
	a.Impact = scenarios.Impacted
	onset := c.locate(q.Slices, ts, at, first)
	a.OnsetAt = scenarios.Sec(q.Slices[onset].Start)
	a.Resolution = max(time.Second, ts[at].End-ts[at].Start)
	last := min(q.Horizon, satAdd(q.Cleared, q.Hold)) // harm that begins by then is this episode's
	from := onset
	end := time.Duration(-1)
	for {
		hold, state := c.recovery(q, from)
		if state != recovered {
			a.Impact = scenarios.NotRecovered
			if state == undecided {
				a.Impact = scenarios.UnknownYet
				a.Note = "the load ended before a hold long enough to show recovery"
			}
			break
		}
		end = q.Slices[hold].Start
		if !a.FailoverAt.Known() && end < q.Cleared {
			a.FailoverAt = scenarios.Sec(end)
		}
		again := relapse(ts, verdicts, end, last)
		if again < 0 {
			break
		}
		from = c.locate(q.Slices, ts, again, max(first, hold+1))
		end = -1
	}
	until := q.Horizon
	if a.Impact == scenarios.Impacted {
		a.RecoveredAt = scenarios.Sec(end)
		until = end
	}
	for i := range ts {
		if verdicts[i] >= bad && ts[i].Start < until {
			a.Degraded += min(until, ts[i].End) - max(ts[i].Start, q.Slices[onset].Start)
		}
	}
	a.Degraded = max(0, a.Degraded)
	a.count(q, c, q.Injected, until)
	return a
}

func satAdd(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// firstOnset is the first bad window, from index from on, of which two stand among
// three, or which is strong.
func firstOnset(v []verdictOf, from int) int {
	for i := from; i < len(v); i++ {
		if v[i] == strong {
			return i
		}
		if v[i] != bad {
			continue
		}
		for j := i + 1; j <= i+2 && j < len(v); j++ {
			if v[j] >= bad {
				return i
			}
		}
	}
	return -1
}

// relapse is the first onset in a window that begins after recovered and by last.
func relapse(ts []tile, v []verdictOf, recovered, last time.Duration) int {
	for i := range ts {
		if ts[i].Start < recovered {
			continue
		}
		if at := firstOnset(v, i); at >= 0 && ts[at].Start <= last {
			return at
		}
		return -1
	}
	return -1
}

// locate gives the slice at which the bad time in tile i began. It may lie in the
// window before, which was too good as a whole to be bad; never before first.
func (c chances) locate(slices []Slice, ts []tile, i, first int) int {
	t := &ts[i]
	if t.Bad == 0 { // a stall
		for s := t.from; s < t.to; s++ {
			if slices[s].Ended == 0 {
				return s
			}
		}
		return t.from
	}
	from := t.from
	if i > 0 {
		from = ts[i-1].from
	}
	from = max(from, first)
	best, at := math.Inf(-1), t.from
	var n, k float64
	for s := t.to - 1; s >= from; s-- {
		n += float64(slices[s].N)
		k += float64(slices[s].Bad)
		if n == 0 {
			continue
		}
		p0 := max(c.p0, 0.5/max(n, 1), c.limit/10)
		p1 := min(k/n, 1-1e-9)
		if p1 <= p0 {
			continue
		}
		if ll := k*math.Log(p1/p0) + (n-k)*math.Log((1-p1)/(1-p0)); ll > best {
			best, at = ll, s
		}
	}
	return at
}

type recoveryState uint8

const (
	stillBad recoveryState = iota
	undecided
	recovered
)

// recovery finds the first slice after from that begins a good hold.
func (c chances) recovery(q Question, from int) (int, recoveryState) {
	need := c.enough(q.Limit)
	state := stillBad
	for s := from + 1; s < len(q.Slices) && q.Slices[s].End <= q.Horizon; s++ {
		start := q.Slices[s].Start
		var n, k int64
		ended := int64(0)
		flight := int64(0)
		whole := false
		for j := s; j < len(q.Slices) && q.Slices[j].End <= q.Horizon; j++ {
			n += q.Slices[j].N
			k += q.Slices[j].Bad
			ended += q.Slices[j].Ended
			flight = max(flight, q.Slices[j].InFlight)
			if q.Slices[j].End-start >= q.Hold-time.Millisecond && float64(n) >= need {
				whole = true
				break
			}
		}
		if ended == 0 && flight > 0 {
			continue // stalled
		}
		if whole {
			if upperBound(float64(k)/c.phi, float64(n)/c.phi, confidence) <= q.Limit {
				return s, recovered
			}
			continue
		}
		if n > 0 && float64(k)/float64(n) <= q.Limit && state == stillBad {
			state = undecided // it looks good, but there is too little to show it
		}
		if state == undecided || n == 0 {
			break
		}
	}
	return 0, state
}

// enough is the number of requests with which a share as low as the baseline's can
// be shown to lie under limit.
func (c chances) enough(limit float64) float64 {
	n := float64(EnoughFor(limit)) * c.phi
	for range 40 {
		if upperBound(c.p0*n/c.phi, n/c.phi, confidence) <= limit {
			return n
		}
		n *= 1.25
	}
	return math.Inf(1)
}

// count adds up what was lost between from and to.
func (a *Answer) count(q Question, c chances, from, to time.Duration) {
	var n, k int64
	for _, s := range q.Slices {
		if s.Start < from || s.Start >= to {
			continue
		}
		n += s.N
		k += s.Bad
		if s.Offered > 0 {
			a.Area += (1 - float64(s.Good)/float64(s.Offered)) * (s.End - s.Start).Seconds()
		}
	}
	a.Failed = max(0, int64(math.Round(float64(k)-c.p0*float64(n))))
}

// Steady tells whether the time before an injection was good: that no two of three
// windows in it were bad.
func Steady(baseline []Slice, limit float64) bool {
	c := chances{limit: limit, phi: 1}
	ts := tiles(baseline, 0, math.MaxInt64, limit)
	v := make([]verdictOf, len(ts))
	for i := range ts {
		v[i] = c.judge(&ts[i])
	}
	return firstOnset(v, 0) < 0
}
