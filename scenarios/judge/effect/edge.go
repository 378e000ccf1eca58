package effect

import (
	"cmp"
	"math"
	"slices"
	"time"

	"brunt/scenarios/result"
)

// A Mark is a request at its intended time. If brunt was late, At is the time when brunt was ready to send it, but
// within the second of the intended time. The request met the target at that later time: by intended times, an outage
// would begin and end too early by brunt's lag.
type Mark struct {
	At   time.Duration
	Bad  bool
	Took time.Duration // a good request was answered so long after At, at most
}

// A Range is the interval that contains an instant; its ends are NaN if the instant is unknown. At a sharp edge, such
// as the begin of an outage in which every request failed, it is the time between two requests. At a soft edge, such
// as errors that become more frequent, it is the 95 % interval of a change point: all instants whose likelihood is at
// most e^1.92 times lower than the likelihood of the best one (Wilks, 1938).
type Range struct{ Low, High result.Num }

const (
	// AtOnce is the longest time after an act of brunt in which harm begins with the act.
	AtOnce = time.Second
	// Early is how long before an act a request may be due that the act harms, because it is under way.
	Early = AtOnce / 4
)

// With reports whether harm that begins in the range may begin with an act of brunt: with the injection or the end of
// a fault.
func (r Range) With(act time.Duration) bool {
	return r.Low.D() <= act+AtOnce && r.High.D() >= act-Early
}

// nowhere is the range of an unknown instant.
var nowhere = Range{result.NaN, result.NaN}

// An edge is an instant at which requests became bad or good.
type edge struct {
	At time.Duration
	Range
}

// edgeAt returns the edge at the border of a slice, for slices whose single requests are unknown.
func edgeAt(t, width time.Duration) edge {
	return edge{t, Range{result.Sec(max(0, t-width)), result.Sec(t + width)}}
}

// notBefore returns the edge, moved to t if t is later.
func (e edge) notBefore(t time.Duration) edge {
	at := result.Sec(t)
	return edge{max(e.At, t), Range{max(e.Low, at), max(e.High, at)}}
}

// width returns how far the instant may lie from At.
func (e edge) width() time.Duration { return max(e.At-e.Low.D(), e.High.D()-e.At) }

// A burst is a sequence of requests with more bad ones than chance explains. It begins and ends with a bad request.
type burst struct {
	first, last int // marks
	score       float64
}

const (
	// scoreLeast is the least score of a burst. The score is the logarithm of how much likelier the sequence is under
	// the share of the degradation than under the share before. Good requests that lower the score by as much end a
	// burst. One bad request alone does not reach it; two in a row do.
	scoreLeast = 7
	// likely is the maximum difference between the log-likelihoods of the best instant and another instant of its
	// interval: half of the 95 % quantile of chi-squared with one degree of freedom.
	likely = 1.92
	// mostSlices is the maximum number of slices at each end of a degradation whose requests are read one by one.
	mostSlices = 300
)

// Around is the number of slices before the injection and after the horizon of a question that may affect its answer.
const Around = mostSlices + 10

// marks lists the requests of slices[from:to] in order of time. A request that was sent late may lie after its slice.
// known is false if single requests are unknown.
func marks(q Question, from, to int) (out []Mark, known bool) {
	for i := from; i < to; i++ {
		s := &q.Slices[i]
		if s.Marks == nil {
			if s.Offered > 0 {
				return nil, false
			}
			continue
		}
		out = s.Marks(out)
	}
	slices.SortStableFunc(out, func(a, b Mark) int { return cmp.Compare(a.At, b.At) })
	return out, true
}

// rates holds the shares of bad requests, outside and inside a degradation, that distinguish bursts, and the
// dispersion.
type rates struct{ calm, bad, phi float64 }

// ratesOf returns the share of the baseline, and the share of the slices that exceed the limit.
func (c chances) ratesOf(q Question, from, to int) rates {
	var n, k float64
	for i := from; i < to; i++ {
		if s := &q.Slices[i]; float64(s.Bad) > c.limit*float64(s.N) {
			n += float64(s.N)
			k += float64(s.Bad)
		}
	}
	r := rates{calm: max(c.p0, c.limit/10), phi: min(phiMost, c.phi)}
	r.bad = min(.9, max(k/max(1, n), 5*r.calm, 2*c.limit))
	r.calm = min(r.calm, r.bad/2)
	return r
}

// bursts finds the bursts among marks in order, by cumulative sums (Page, 1954).
func bursts(list []Mark, r rates) []burst {
	worse, better := math.Log(r.bad/r.calm)/r.phi, math.Log((1-r.bad)/(1-r.calm))/r.phi
	var out []burst
	open, sum := burst{}, 0.0
	in := false
	end := func() {
		if in && open.score >= scoreLeast {
			out = append(out, open)
		}
		in = false
	}
	for i := range list {
		switch {
		case list[i].Bad && !in:
			in, sum, open = true, worse, burst{i, i, worse}
		case list[i].Bad:
			if sum += worse; sum >= open.score {
				open.last, open.score = i, sum
			}
		case in:
			if sum += better; sum <= 0 || sum < open.score-scoreLeast {
				end()
			}
		}
	}
	end()
	return out
}

// split returns the first and the last mark of list[from:to] that are about as likely a change point as at. Requests
// before a change point have the share calm, those after it their own. backwards reverses time.
func split(list []Mark, from, to, at int, r rates, backwards bool) (first, last int) {
	var n, k float64
	type candidate struct {
		i    int
		fits float64
	}
	var all []candidate
	best := math.Inf(-1)
	step := func(i int) {
		n++
		if list[i].Bad {
			k++
		}
		p := min(k/n, 1-1e-9)
		if p <= r.calm {
			return
		}
		fits := (k*math.Log(p/r.calm) + (n-k)*math.Log((1-p)/(1-r.calm))) / r.phi
		best = max(best, fits)
		all = append(all, candidate{i, fits})
	}
	if backwards {
		for i := from; i < to; i++ {
			step(i)
		}
	} else {
		for i := to - 1; i >= from; i-- {
			step(i)
		}
	}
	first, last = at, at
	for _, c := range all {
		if c.fits >= best-likely {
			first, last = min(first, c.i), max(last, c.i)
		}
	}
	return first, last
}

// goodAfter returns the time of the first good request after mark i, and when the first of these was answered, at the
// latest; or end. The target is good again between the two: a request that is sent while the target hangs, and that is
// answered when it comes back, shows no more.
func goodAfter(list []Mark, i int, end time.Duration) (at, answered time.Duration) {
	at, answered = end, end
	for none := true; i+1 < len(list); i++ {
		m := list[i+1]
		switch by := m.At + m.Took; {
		case m.Bad:
		case none:
			at, answered, none = m.At, by, false
		default:
			answered = min(answered, by)
		}
	}
	return at, answered
}

// goodBefore returns the time of the last good request before mark i, or start.
func goodBefore(list []Mark, i int, start time.Duration) time.Duration {
	for j := i - 1; j >= 0; j-- {
		if !list[j].Bad {
			return list[j].At
		}
	}
	return start
}

// begin returns the first bad request of the degradation that begins in slice onset, not before slice first. A burst
// that was over before that is not part of it.
func (c chances) begin(q Question, first, onset int) (edge, bool) {
	from, to := max(first, onset-1), min(len(q.Slices), onset+3)
	list, known := marks(q, from, to)
	found := bursts(list, c.ratesOf(q, from, to))
	// a single bad request before the burst made the onset too early
	for known && len(found) == 0 && to < len(q.Slices) && to-onset < mostSlices {
		to = min(len(q.Slices), to+3)
		list, known = marks(q, from, to)
		if found = bursts(list, c.ratesOf(q, from, to)); len(found) > 0 && !c.calm(list[:found[0].first]) {
			return edge{}, false
		}
	}
	if !known || len(found) == 0 {
		return edge{}, false
	}
	b := found[max(0, slices.IndexFunc(found, func(b burst) bool { return list[b.last].At >= q.Slices[onset].Start }))]
	low, high := split(list, 0, b.last+1, b.first, c.ratesOf(q, from, to), false)
	return edge{list[b.first].At, Range{
		result.Sec(goodBefore(list, low, q.Slices[from].Start)),
		result.Sec(max(list[b.first].At, list[high].At)),
	}}, true
}

// finish returns the first good request after the last bad one of a degradation that began in slice onset, and that a
// hold from slice s on ended.
func (c chances) finish(q Question, onset, s int) (edge, bool) {
	from, to := max(onset, s-3), min(len(q.Slices), s+2)
	list, known := marks(q, from, to)
	r := c.ratesOf(q, from, to)
	found := bursts(list, r)
	// single bad requests made the hold begin too late
	for back := from; known && len(found) == 0 && back > onset && s-back < mostSlices; {
		back = max(onset, back-3)
		list, known = marks(q, back, to)
		r = c.ratesOf(q, back, to)
		if found = bursts(list, r); len(found) > 0 && !c.calm(list[found[len(found)-1].last+1:]) {
			return edge{}, false
		}
	}
	if !known || len(found) == 0 {
		return edge{}, false
	}
	b, end := found[0], q.Slices[to-1].End
	for _, later := range found[1:] { // bad requests within the hold are no part of the degradation
		if list[later.first].At < q.Slices[s].Start {
			b = later
		}
	}
	low, high := split(list, b.first, len(list), b.last, r, true)
	at, _ := goodAfter(list, b.last, end)
	_, answered := goodAfter(list, high, end)
	return edge{at, Range{result.Sec(list[low].At), result.Sec(answered)}}, true
}

// calm reports whether the share of bad requests is within the limit.
func (c chances) calm(list []Mark) bool {
	bad := 0
	for _, m := range list {
		if m.Bad {
			bad++
		}
	}
	return float64(bad) <= c.limit*float64(len(list))
}

// stallBegin returns the begin of a stall; s is its first slice in which nothing ended. The requests in flight then
// are the last that were sent, because waiting users send nothing, so the first of them met the stall. The last
// answer came after the request before that one was sent, and before the last request was sent.
func stallBegin(q Question, s int) (edge, bool) {
	n := int(q.Slices[s].InFlight)
	var list []Mark
	for from := s - 1; from >= 0 && len(list) <= n && s-from < mostSlices && q.Slices[s].Stalled(); from-- {
		var known bool
		if list, known = marks(q, from, s); !known {
			return edge{}, false
		}
	}
	if n == 0 || len(list) < n {
		return edge{}, false
	}
	at := list[len(list)-n].At
	return edge{at, Range{result.Sec(list[max(0, len(list)-n-1)].At), result.Sec(list[len(list)-1].At)}}, true
}

// stallEnd returns the end of a stall right before slice s: nothing ended until the slice began, and a request
// intended in the slice is good.
func stallEnd(q Question, s int) (edge, bool) {
	list, known := marks(q, s, s+1)
	if !known || s == 0 || !q.Slices[s-1].Stalled() {
		return edge{}, false
	}
	at := q.Slices[s].Start
	_, answered := goodAfter(list, -1, q.Slices[s].End)
	return edge{at, Range{result.Sec(at), result.Sec(answered)}}, true
}

// badTime returns how long requests were bad from slice onset to time until: the sum of all bursts, each from its
// first bad request to the first good one after it. It reads single requests at both ends. In the middle of a very
// long degradation, a slice that exceeds the limit counts as a whole.
func (c chances) badTime(q Question, onset int, until time.Duration) (time.Duration, bool) {
	to, _ := slices.BinarySearchFunc(q.Slices, until,
		func(s Slice, t time.Duration) int { return cmp.Compare(s.Start, t) })
	sum := time.Duration(0)
	add := func(from, to int) bool {
		list, known := marks(q, from, to)
		for _, b := range bursts(list, c.ratesOf(q, onset, to)) {
			end, _ := goodAfter(list, b.last, q.Slices[to-1].End)
			sum += max(0, min(until, end)-list[b.first].At)
		}
		return known
	}
	if to-onset <= 2*mostSlices {
		known := to > onset && add(onset, to)
		return sum, known && sum > 0
	}
	for _, s := range q.Slices[onset+mostSlices : to-mostSlices] {
		if float64(s.Bad) > c.limit*float64(s.N) {
			sum += s.End - s.Start
		}
	}
	known := add(onset, onset+mostSlices) && add(to-mostSlices, to)
	return sum, known && sum > 0
}
