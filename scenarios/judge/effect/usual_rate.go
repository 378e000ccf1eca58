package effect

import "brunt/scenarios/result"

// usualRate says that requests are bad at a rate near the limit also without the fault, so that no hold is known to be
// good: the pooled share of one has an upper bound above the limit. It is nil where the baseline had fewer than a
// quarter of the limit, or no request was bad in the second half of the time after the clearing.
func (c chances) usualRate(q Question) result.Notes {
	var n, k int64
	from := q.Cleared + (q.Horizon-q.Cleared)/2 // what the fault did may last for a while
	for i := range q.Slices {
		if s := &q.Slices[i]; s.Start >= from && s.End <= q.Horizon {
			n += s.N
			k += s.Bad
		}
	}
	if k == 0 || c.p0 < c.limit/4 {
		return nil
	}
	return result.Notes{{
		Kind: result.UsualBad, Base: result.Num(c.p0), Value: result.Num(float64(k) / float64(n)),
		Limit: result.Num(c.limit), High: result.Num(above(c.p0)),
	}}
}

// above is a limit that a usual rate of bad requests stays well under: three times as large, in full percent.
func above(rate float64) float64 { return min(1, float64(int(300*rate)+1)/100) }
