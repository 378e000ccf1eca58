package effect

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios/result"
)

// A pause is a stall that is longer than a window and covers none: users of a closed load waited from one slice into
// the next one, and sent nothing.
type pause struct {
	slice      int // the later one
	begin, end edge
}

// pausedAmong finds the first pause from the injection on, slice first. None of the requests in flight ended for longer
// than chance explains, beyond doubt, and for longer than [Question.UnderWay]. An open load sends on, so it has none.
func (c chances) pausedAmong(q Question, first int) (p pause, found bool) {
	if !q.Closed || q.UnderWay == 0 || c.ends == 0 {
		return p, false
	}
	for i := max(1, first); i < len(q.Slices) && q.Slices[i].End <= q.Horizon; i++ {
		before, s := &q.Slices[i-1], &q.Slices[i]
		usual := c.ends * (s.End - before.Start).Seconds()
		if s.InFlight == 0 || before.Own || s.Own ||
			float64(before.Ended+s.Ended-s.InFlight) > usual*(2-narrow.Seconds())/2 {
			continue
		}
		list, known := marks(q, max(0, i-3), min(len(q.Slices), i+2))
		next, _ := slices.BinarySearchFunc(list, s.Start, func(m Mark, t time.Duration) int { return cmp.Compare(m.At, t) })
		n := int(s.InFlight)
		if !known || next-n < 1 || next == len(list) {
			continue
		}
		// the users ask again so long after an answer, at most
		think := time.Duration(float64(n) / c.ends * float64(time.Second))
		begin, last, end := list[next-n].At, list[next-1].At, list[next].At
		if d := end - think - last; d < max(narrow, q.UnderWay) || c.quiet(d) >= tailStrong || begin < q.Injected-Early {
			continue
		}
		good, answered := goodAfter(list, next-1, forever)
		for to := i + 2; good == forever && to < len(q.Slices); to++ { // the users' next requests were bad as well
			more, _ := marks(q, to, to+1)
			good, answered = goodAfter(more, -1, forever)
		}
		if good == forever {
			continue
		}
		p.slice, p.end = i, edge{good, Range{result.Sec(good - think), result.Sec(answered)}}
		p.begin = edge{begin, Range{result.Sec(list[next-n-1].At), result.Sec(last)}}.notBefore(q.Injected)
		return p, true
	}
	return p, false
}

// pausedOnly sets the answer if a pause is the only harm.
func (a *Answer) pausedOnly(q Question, c chances, p pause) {
	a.Impact = result.Impacted
	a.OnsetAt, a.OnsetIn, a.Resolution = result.Sec(p.begin.At), p.begin.Range, p.begin.width()
	a.recover(q, c, p.slice, p.slice, time.Second)
	if a.RecoveredAt.Known() && !a.RelapsedAt.Known() {
		a.RecoveredAt, a.RecoveredIn, a.Resolution = result.Sec(p.end.At), p.end.Range, max(p.begin.width(), p.end.width())
		if p.end.At < q.Cleared {
			a.FailoverAt, a.FailoverIn = a.RecoveredAt, a.RecoveredIn
		}
	}
	a.Degraded = p.end.At - p.begin.At
	a.count(q, c, p.end.At)
	a.Area = max(a.Area, a.Degraded.Seconds()) // no request ends in a pause
}
