package effect

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"brunt/scenarios/result"
)

type recoveryState uint8

const (
	stillBad  recoveryState = iota // the requests from the slice on exceed the limit
	undecided                      // the requests may be good, but the data ends before they can show it
	recovered
)

// hold is the state of the slices from a slice on.
type hold struct {
	state recoveryState
	from  int   // slice
	to    int   // the slice after the last one of the hold, once recovered
	n, k  int64 // requests, and bad requests, up to the decision
}

// degradation describes the bad requests that a hold must be better than.
type degradation struct {
	share float64 // share of bad requests
	phi   float64 // dispersion of their counts
	// allowed chance that a hold is this much better by accident; small, because a run has many candidates
	chance float64
	brief  bool // a hold need not have so many requests that their upper bound is within the limit
}

// noDegradation is a degradation that every hold is better than.
var noDegradation = degradation{share: 1, phi: 1, chance: 1}

// tailOver is the chance below which the beginning of a hold counts as too bad.
const tailOver = 1 - Confidence

// hold decides whether the slices from s on, up to end, show recovery from the degradation before. It extends the
// span beyond width until the upper bound of its pooled bad share is within the limit, and until the span is better
// than the degradation by more than chance and clusters explain. If any beginning of the span exceeds the limit,
// there is no recovery at s.
//
// It computes bounds at every slice at first, then each time the span has grown by a twentieth, because an hour has
// thousands of slices to begin at.
func (c chances) hold(q Question, s int, end, width time.Duration, before degradation) hold {
	h := hold{state: undecided, from: s}
	stall := q.stalledBefore(s) // no hold begins in a stall
	check := s
	for j := s; j < len(q.Slices) && q.Slices[j].End <= end; j++ {
		sl := &q.Slices[j]
		h.n += sl.N
		h.k += sl.Bad
		if stall += sl.End - sl.Start; !sl.Stalled() {
			stall = 0
		}
		last := j+1 == len(q.Slices) || q.Slices[j+1].End > end
		if j < check && !last {
			continue
		}
		if j-s > 20 {
			check = j + (j-s)/20
		}
		over := float64(h.k) > c.limit*float64(h.n)
		switch {
		case c.quiet(stall) < tailBad, over && c.tail(h.n, h.k) < tailOver:
			h.state = stillBad
			return h
		case !over && h.n > 0 && sl.End-q.Slices[s].Start >= width-time.Millisecond && c.shows(h.n, h.k, before):
			h.state, h.to = recovered, j+1
			return h
		}
	}
	return h
}

// stalledBefore returns how long a stall had lasted when slice s began. It is zero if s itself is not part of the
// stall.
func (q *Question) stalledBefore(s int) time.Duration {
	if !q.Slices[s].Stalled() {
		return 0
	}
	first := s
	for first > 0 && q.Slices[first-1].Stalled() && q.Slices[first-1].Start >= q.Injected {
		first--
	}
	return q.Slices[s].Start - q.Slices[first].Start
}

// shows reports whether n requests, k of them bad, show recovery from a degradation: the upper bound of their bad share
// is at most the limit, so that a share at the limit would have so few bad requests in under 5 % of cases; and their
// share is lower than the share of the degradation. The bound is not asked for where a hold may be brief.
func (c chances) shows(n, k int64, t degradation) bool {
	phi := max(c.phi, t.phi)
	within := t.brief || lowerTail(float64(k)/phi, float64(n)/phi, c.limit) <= 1-Confidence
	return within && c.better(n, k, t, t.chance)
}

// needed returns the least number of requests, k of them bad, that show recovery from a degradation.
func (c chances) needed(k int64, t degradation) int64 {
	least := int(EnoughFor(c.limit))
	return int64(least + sort.Search(math.MaxInt32, func(n int) bool { return c.shows(int64(least+n), k, t) }))
}

// EnoughToRecover returns the least number of good requests that show recovery from any degradation, even from one
// whose share of bad requests is barely above the limit, or in which no request was bad and none ended. It is for
// errors that do not come in clusters. span is the time from the injection to the end of the time that belongs to the
// fault. For 1 % and 30 s that is 797, where [EnoughFor] is 299.
func EnoughToRecover(limit float64, span time.Duration) int64 {
	c := chances{limit: limit, phi: 1}
	return c.needed(0, c.slightest(span))
}

// tailSame is the chance, over a whole run, that a hold is better than the degradation before it only by accident.
const tailSame = 0.01

// better reports whether the bad share of n requests, k of them bad, is lower than the share of the degradation by more
// than chance explains.
func (c chances) better(n, k int64, t degradation, chance float64) bool {
	phi := max(c.phi, t.phi)
	return lowerTail(float64(k)/phi, float64(n)/phi, t.share) < chance
}

// slightest returns the degradation that is the hardest to be better than: its share of bad requests is the limit. span
// is the time from its onset to the end of the time that belongs to the fault.
func (c chances) slightest(span time.Duration) degradation {
	return degradation{share: c.limit, phi: 1, chance: tailSame / max(1, span.Seconds())}
}

const (
	pairsLeast = 10 // fewer pairs of slices do not show a dispersion
	phiMost    = 5  // the largest factor by which a dispersion lengthens a hold
)

// degradationBefore returns the degradation before slice s, back to the onset: its last two holds, or as many
// requests as two holds need. A baseline without errors does not show how errors cluster.
//
// The dispersion is computed from neighbouring slices, so that a change of level adds little: Σd²/Σw, where d is the
// difference between a slice's bad requests and its part of the bad requests of both neighbours, and w the variance
// of d by chance; see differ. The first and the last pair, between which the level changes, are left out.
func (c chances) degradationBefore(q Question, onset, s int) degradation {
	var n, k int64
	sum, weight, pairs := 0.0, 0.0, 0
	most := 2 * EnoughFor(c.limit)
	for j := s - 1; j >= onset; j-- {
		a := &q.Slices[j]
		if q.Slices[s].Start-a.Start > 2*q.Hold && n >= most {
			break
		}
		n += a.N
		k += a.Bad
		if j <= onset+1 || j == s-1 {
			continue
		}
		if a.N+q.Slices[j-1].N > 0 {
			square, variance := differ(a, &q.Slices[j-1])
			sum += square
			weight += variance
			pairs++
		}
	}
	t := noDegradation
	t.chance = c.slightest(q.Horizon - q.Slices[onset].Start).chance
	if pairs >= pairsLeast && weight > 0 {
		t.phi = min(phiMost, max(1, sum/weight))
	}
	if n > 0 { // a lower bound: the slices after an onset were selected for being bad
		phi := max(c.phi, t.phi)
		t.share = max(c.limit, LowerBound(float64(k)/phi, float64(n)/phi, Confidence))
	}
	return t
}

// recovery finds the first good hold after slice from. If there is none, its state tells whether the load ended too
// early to show one.
func (c chances) recovery(q Question, onset, from int) hold {
	out := hold{state: stillBad}
	for s := from + 1; s < len(q.Slices) && q.Slices[s].End <= q.Horizon; s++ {
		h := c.hold(q, s, q.Horizon, q.Hold, c.degradationBefore(q, onset, s))
		if h.state == recovered {
			return h
		}
		if h.state == undecided && out.state == stillBad && c.begun(q, onset, h) {
			out = h
		}
	}
	return out
}

// Settled finds a hold of good requests between the end of a fault and the injection of another one, and returns when
// it begins. The first fault has no effect on the second then. q is the question about the first fault, with the second
// one as its horizon.
//
// The hold need not have so many requests that it proves a recovery. It lasts for [Question.Hold], its pooled bad share
// is within the limit, and it is better than the degradation before it by more than chance explains.
func Settled(q Question) (since time.Duration, settled bool) {
	c := newChances(q.Baseline, q.Limit).among(q.Baseline, q.Slices)
	first, _ := slices.BinarySearchFunc(q.Slices, q.Injected,
		func(s Slice, t time.Duration) int { return cmp.Compare(s.Start, t) })
	ws := c.searched(q.Slices, first, q.Horizon)
	onset, begun := -1, first
	if at, sure := firstOnset(ws); at >= 0 {
		onset = c.locate(q.Slices, ws, at, first)
		begun = max(onset, ws[sure].from) + 1
	}
	for s := begun; s < len(q.Slices) && satAdd(q.Slices[s].Start, q.Hold) <= q.Horizon; s++ {
		if q.Slices[s].Start < q.Cleared {
			continue
		}
		before := noDegradation
		if onset >= 0 {
			before = c.degradationBefore(q, onset, s)
		}
		before.brief = true
		if c.hold(q, s, q.Horizon, q.Hold, before).state == recovered {
			return q.Slices[s].Start, true
		}
	}
	return 0, false
}

// notBefore returns the earliest possible time of recovery from a degradation that began in slice onset. h is the
// result of [chances.recovery]. If the load ended within a hold, the time is the last bad request before that hold.
func (c chances) notBefore(q Question, onset int, h hold) time.Duration {
	if h.state == stillBad {
		return q.Horizon
	}
	if e, exact := c.finish(q, onset, h.from); exact {
		return e.Low.D()
	}
	return q.Slices[h.from].Start
}

// lack says what the data lacks to show recovery by hold h, which its end cut short.
func (c chances) lack(q Question, onset int, h hold) result.Note {
	out := result.Note{Kind: result.EndBeforeHold, Of: q.Next}
	lasted := q.Horizon - q.Slices[h.from].Start
	more := q.Hold - lasted
	if need := c.needed(h.k, c.degradationBefore(q, onset, h.from)); need > h.n {
		out.Count, out.Need = h.n, need
		more = max(more, timeFor(need-h.n, h.n, lasted))
	}
	out.For = wholeSeconds(more)
	return out
}

// timeFor returns the time in which more requests come, if n came in d; zero if none came.
func timeFor(more, n int64, d time.Duration) time.Duration {
	if n == 0 {
		return 0
	}
	return time.Duration(float64(more) / float64(n) * float64(d))
}

// wholeSeconds rounds up to whole seconds; zero if d is not positive.
func wholeSeconds(d time.Duration) result.Num {
	return result.Num(math.Ceil(max(0, d).Seconds()))
}

// begun reports whether h, which the end of the load cut short, is the beginning of recovery: it has lasted for a
// hold, or it is better than the degradation before it. Without this rule, a few good requests at the end would look
// like recovery.
func (c chances) begun(q Question, onset int, h hold) bool {
	if q.Horizon-q.Slices[h.from].Start >= q.Hold {
		return true
	}
	return c.better(h.n, h.k, c.degradationBefore(q, onset, h.from), tailBad)
}

// failover finds the first slice after from at which a good hold begins while the fault is active.
// The part of the hold before the clearing must be enough to show it.
func (c chances) failover(q Question, onset, from int) (int, bool) {
	end := min(q.Cleared, q.Horizon)
	for s := from + 1; s < len(q.Slices) && q.Slices[s].End <= end; s++ {
		width := min(q.Hold, end-q.Slices[s].Start)
		t := c.degradationBefore(q, onset, s)
		if width < narrow || c.hold(q, s, q.Horizon, q.Hold, t).state != recovered {
			continue
		}
		if c.hold(q, s, end, width, t).state == recovered {
			return s, true
		}
	}
	return 0, false
}
