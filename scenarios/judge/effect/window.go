package effect

import (
	"math"
	"time"
)

const (
	// tailBad is the probability below which a window's bad requests are not explained by chance.
	tailBad = 0.01
	// tailStrong is the probability below which one bad window is enough, instead of two of three.
	tailStrong = 1e-6
	// expected is the least number of bad requests that a window would have at the limit.
	expected = 5
	// narrow is the least width of a window, a little under a second: the part of a second after an injection counts
	// as a window.
	narrow = 950 * time.Millisecond
)

// decisive is the number of windows that decide an onset: two of them must be bad.
const decisive = 3

// Windows returns the width of the windows that a load of rate requests per second fills, and how many of them decide
// whether a few bad requests are an impact: a bad one, and those in which a second one may follow.
func Windows(rate, limit float64) (width time.Duration, n int) {
	return time.Duration(max(1, math.Ceil(float64(chances{limit: limit}.window())/rate))) * time.Second, decisive
}

// verdictOf is the verdict on a window.
type verdictOf uint8

const (
	unknown verdictOf = iota
	good
	bad
	strong // bad beyond doubt
)

// window is a window of detection: slices that are joined until they can show the limit.
type window struct {
	Slice
	from, to int           // slices
	stall    time.Duration // longest span with requests in flight of which none ended
	partial  bool          // the data ended before the window was wide enough
	verdict  verdictOf
}

// windowOf joins the slices in [from, to).
func windowOf(slices []Slice, from, to int) window {
	t := window{Slice: Slice{Start: slices[from].Start, End: slices[to-1].End}, from: from, to: to}
	stall := time.Duration(0)
	for i := from; i < to; i++ {
		s := &slices[i]
		t.N += s.N
		t.Bad += s.Bad
		t.Ended += s.Ended
		if stall += s.End - s.Start; !s.Stalled() {
			stall = 0
		}
		t.stall = max(t.stall, stall)
	}
	return t
}

// window returns the number of requests that fill a window.
func (c chances) window() int64 { return int64(math.Ceil(expected / c.limit)) }

// enough reports whether n requests within d can show the limit.
func (c chances) enough(n int64, d time.Duration) bool {
	return float64(n)*c.limit >= expected && d >= narrow
}

// chances judges windows against a baseline.
type chances struct {
	limit   float64
	n       int64   // requests in the baseline
	p0      float64 // their bad share
	lost    float64 // the share of its offered requests without a good answer: those that were bad or shed
	phi     float64 // dispersion of the bad counts: above 1 where errors come in clusters
	clump   float64 // bad requests of a failing iteration, at least 1: those are one event
	ends    float64 // requests that ended per second
	endsPhi float64 // dispersion of the requests that ended
}

// newChances computes p0 and phi = max(1, var/mean of the bad counts) from the baseline.
func newChances(baseline []Slice, limit float64) chances {
	c := chances{limit: limit, phi: 1, clump: 1, endsPhi: 1}
	var bads, ends []float64
	var bad, ended, offered, good int64
	span := time.Duration(0)
	for _, s := range baseline {
		c.n += s.N
		bad += s.Bad
		offered += s.Offered
		good += s.Good
		bads = append(bads, float64(s.Bad))
		if !s.Stalled() { // a stall is what these figures are to show
			ended += s.Ended
			span += s.End - s.Start
			ends = append(ends, float64(s.Ended))
		}
	}
	if c.n == 0 {
		return c
	}
	c.p0 = float64(bad) / float64(c.n)
	c.lost = 1 - float64(good)/float64(max(1, offered))
	c.phi = widest(bads)
	if span > 0 {
		c.ends = float64(ended) / span.Seconds()
	}
	c.endsPhi = widest(ends)
	return c
}

// among returns c with the mean number of bad requests of the failing iterations of some slices.
func (c chances) among(all ...[]Slice) chances {
	var bad, failing int64
	for _, list := range all {
		for i := range list {
			if s := &list[i]; s.Failing > 0 {
				bad, failing = bad+s.Bad, failing+s.Failing
			}
		}
	}
	if failing > 0 {
		c.clump = max(1, float64(bad)/float64(failing))
	}
	return c
}

// widest returns the largest dispersion of counts by one second, two, four and so on, while there are five of them.
// Single seconds do not show a cluster that spans several seconds, and a short baseline has few wide windows.
func widest(counts []float64) float64 {
	phi := dispersion(counts)
	for len(counts) >= 10 {
		n := len(counts) / 2
		pairs := make([]float64, n)
		for i := range pairs {
			pairs[i] = counts[2*i] + counts[2*i+1]
		}
		counts = pairs
		phi = max(phi, dispersion(counts))
	}
	return phi
}

// dispersion returns the variance of counts divided by their mean, but at least 1, the value of a Poisson process.
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
	return max(1, v/float64(len(counts)-1)/mean)
}

// join joins slices from index from on, up to horizon, into windows in which n*L >= 5.
func (c chances) join(slices []Slice, from int, horizon time.Duration) []window {
	var out []window
	n := int64(0)
	for i := from; i < len(slices) && slices[i].End <= horizon; i++ {
		n += slices[i].N
		whole := c.enough(n, slices[i].End-slices[from].Start)
		if !whole && i+1 < len(slices) && slices[i+1].End <= horizon {
			continue
		}
		t := windowOf(slices, from, i+1)
		t.partial = !whole
		out = append(out, t)
		from, n = i+1, 0
	}
	return out
}

// windows joins slices into windows and judges them.
func (c chances) windows(slices []Slice, from int, horizon time.Duration) []window {
	ws := c.join(slices, from, horizon)
	for i := range ws {
		ws[i].verdict = c.judge(&ws[i])
	}
	return ws
}

// sharpLeast is the least number of bad requests in a row that count as an outage, where errors do not come in
// clusters.
const sharpLeast = 10

// searched is like windows, but a window with a sharp outage is bad beyond doubt. A sharp outage has bad requests in
// a row, at least ten times the dispersion of the baseline, and so many that a window with no other bad requests
// would be bad. Chance does not put them in a row, so one window is enough.
//
// It matters only if a window is wider than a slice, at up to 500 requests a second. Above that rate, one slice shows
// an outage as short.
func (c chances) searched(slices []Slice, from int, horizon time.Duration) []window {
	ws := c.windows(slices, from, horizon)
	for i := range ws {
		w := &ws[i]
		if w.verdict == strong || w.to-w.from < 2 {
			continue
		}
		bad, to := w.Bad, min(w.to+1, len(slices)) // an outage may end in the next window
		if to > w.to {
			bad += slices[w.to].Bad
		}
		if bad >= sharpLeast && c.sharp(slices[w.from:to], w.N) {
			w.verdict = strong
		}
	}
	return ws
}

// sharp reports whether the slices hold a sharp outage. n is the number of requests of the window.
func (c chances) sharp(slices []Slice, n int64) bool {
	n = max(n, int64(expected/c.limit))
	row, longest := 0, 0
	var list []Mark
	for i := range slices {
		if slices[i].Marks == nil {
			row = 0
			continue
		}
		list = slices[i].Marks(list[:0])
		for _, m := range list {
			if row++; !m.Bad {
				row = 0
			}
			longest = max(longest, row)
		}
	}
	return float64(longest) >= sharpLeast*max(c.phi, c.clump) && float64(longest) > c.limit*float64(n) &&
		c.tail(n, int64(longest)) < tailBad
}

// tail returns the probability of a window at least as bad if the bad share were the limit, or twice the share of the
// baseline, whichever is larger.
func (c chances) tail(n, bad int64) float64 {
	phi := max(c.phi, c.clump)
	return UpperTail(float64(bad)/phi, float64(n)/phi, max(2*c.p0, c.limit))
}

// quiet returns the probability that no request ends within d, at the rate of the baseline.
func (c chances) quiet(d time.Duration) float64 {
	return math.Exp(-c.ends * d.Seconds() / c.endsPhi)
}

// judge decides whether a window is bad: by its share of bad requests, or because requests were in
// flight and none ended for longer than chance explains.
func (c chances) judge(t *window) verdictOf {
	p := c.quiet(t.stall)
	if t.N > 0 && float64(t.Bad)/float64(t.N) > c.limit {
		p = min(p, c.tail(t.N, t.Bad))
	}
	switch {
	case p < tailStrong:
		return strong
	case t.partial:
		return unknown
	case p < tailBad:
		return bad
	}
	return good
}

// firstOnset returns the first of two bad windows among three, or the first strong one, and the window that completed
// the decision; -1 means none.
func firstOnset(ws []window) (at, sure int) {
	for i := range ws {
		if ws[i].verdict == strong {
			return i, i
		}
		if ws[i].verdict != bad {
			continue
		}
		for j := i + 1; j < min(i+decisive, len(ws)); j++ {
			if ws[j].verdict >= bad {
				return i, j
			}
		}
	}
	return -1, -1
}

// locate returns the slice in which the bad time of window i began. It may lie in the window before, if that window
// as a whole was too good to be bad, but never before first.
func (c chances) locate(slices []Slice, ws []window, i, first int) int {
	t := &ws[i]
	if t.Bad == 0 { // a stall
		s := t.from
		for s < t.to-1 && !slices[s].Stalled() {
			s++
		}
		return s
	}
	from := t.from
	if i > 0 {
		from = ws[i-1].from
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
		p0 := max(c.p0, 0.5/n, c.limit/10)
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
