package load

import "time"

// Peak returns the largest sum of the profiles, and when they first reach it.
func Peak(profiles []*Profile) (most float64, at time.Duration) {
	for _, p := range profiles {
		for _, s := range p.pieces {
			for _, t := range []float64{s.from, s.to} {
				left, right := 0.0, 0.0
				for _, q := range profiles {
					l, r := q.around(t)
					left, right = left+l, right+r
				}
				if sum := max(left, right); sum > most || sum == most && seconds(t) < at {
					most, at = sum, seconds(t)
				}
			}
		}
	}
	return most, at
}

// around returns the quantity just before and just after t seconds.
func (p *Profile) around(t float64) (left, right float64) {
	for _, s := range p.pieces {
		value := s.a + (s.b-s.a)*(t-s.from)/(s.to-s.from)
		if s.from < t && t <= s.to {
			left = value
		}
		if s.from <= t && t < s.to {
			right = value
		}
	}
	return left, right
}
