package effect

import "brunt/scenarios/result"

// usualRate explains that requests are bad at a rate near the limit even without the fault, so that no hold can be
// shown to be good: the upper bound of its pooled share is above the limit. It returns nil if the bad share of the
// baseline is under a quarter of the limit, or if no request was bad in the second half of the time after the
// clearing. It also returns nil if the limit that it would advise is no higher than the limit in force, or than the
// share of bad requests in that time: they are then not due to the usual rate.
func (c chances) usualRate(q Question) result.Notes {
	var n, k int64
	from := q.Cleared + (q.Horizon-q.Cleared)/2 // the effect of the fault may last for a while
	for i := range q.Slices {
		if s := &q.Slices[i]; s.Start >= from && s.End <= q.Horizon {
			n += s.N
			k += s.Bad
		}
	}
	if k == 0 || c.p0 < c.limit/4 {
		return nil
	}
	after, advised := float64(k)/float64(n), above(c.p0)
	if advised <= max(c.limit, after) {
		return nil
	}
	return result.Notes{{
		Kind: result.UsualBad, Base: result.Num(c.p0), Value: result.Num(after), Limit: result.Num(c.limit),
		High: result.Num(advised),
	}}
}

// above returns a limit well above a usual rate of bad requests: three times the rate, rounded up to a full percent.
func above(rate float64) float64 { return min(1, float64(int(300*rate)+1)/100) }
