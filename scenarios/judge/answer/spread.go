package answer

import (
	"math"
	"slices"

	"brunt/scenarios/result"
)

// A Spread holds a figure of the occurrences of a fault: the least, the measured and the largest that each may be.
type Spread struct {
	figures [][3]float64
	Unknown int // figures that are not known
}

// Add takes the figure of an occurrence, and reports whether it is unknown. One that never recovered is infinite.
func (s *Spread) Add(r *result.ObjectiveResult) (unknown bool) {
	v := float64(r.Measured)
	figure := [3]float64{v, v, v}
	switch {
	case math.IsNaN(v):
		figure = [3]float64{0, math.Inf(1), math.Inf(1)}
		if r.Low.Known() {
			figure[0] = float64(r.Low)
		}
		s.Unknown++
	case r.Low.Known() && r.High.Known():
		figure[0], figure[2] = min(v, float64(r.Low)), max(v, float64(r.High))
	}
	s.figures = append(s.figures, figure)
	return math.IsNaN(v)
}

// N is the number of occurrences.
func (s *Spread) N() int { return len(s.figures) }

// At is percentile q, 0 to 1, of the least, the measured and the largest figures.
func (s *Spread) At(q float64) (least, measured, largest float64) {
	var out [3]float64
	for k := range out {
		var column []float64
		for _, figure := range s.figures {
			column = append(column, figure[k])
		}
		slices.Sort(column)
		out[k] = result.OfSpread(column, q)
	}
	return out[0], out[1], out[2]
}
