package chart

import (
	"cmp"
	"math"
)

// A Scale maps values to the height of a plot: 0 is its lower edge, 1 its upper edge.
type Scale struct {
	Log    bool    // logarithmic; else linear
	Lo, Hi float64 // the values at its edges
	By     float64 // round values are multiples of it; 0 means 1
}

// Linear returns a scale from 0 to a round number that holds the largest of values.
func Linear(values ...[]float64) Scale {
	hi := largest(values)
	step := nice(hi * 1.05 / 4)
	return Scale{Hi: step * math.Ceil(hi*1.05/step)}
}

// largest returns the largest of values; 1 if none is above 0.
func largest(values [][]float64) float64 {
	hi := 0.0
	for _, list := range values {
		for _, v := range list {
			if v > hi && !math.IsInf(v, 0) { // false for NaN
				hi = v
			}
		}
	}
	return cmp.Or(hi, 1)
}

// Share returns a linear scale for shares of a whole. It ends at 1 at the latest if no value is larger.
func Share(values ...[]float64) Scale {
	s := Linear(values...)
	if largest(values) <= 1 {
		s.Hi = math.Min(s.Hi, 1)
	}
	return s
}

// Within returns a scale from 0 that ends just beyond the largest of values, for the axis that points lie along.
func Within(values ...[]float64) Scale { return Scale{Hi: largest(values) * 1.02} }

// binary returns a linear scale whose ticks are round in KiB, MiB or GiB.
func binary(values ...[]float64) Scale {
	s, by := Linear(values...), 1.0
	for s.Hi/by > 1024 {
		by *= 1024
	}
	least := make([][]float64, len(values))
	for i, list := range values {
		for _, v := range list {
			least[i] = append(least[i], v/by)
		}
	}
	s = Linear(least...)
	return Scale{Hi: s.Hi * by, By: by}
}

// Log returns a logarithmic scale that holds all values above 0, its ends at 1, 2 or 5 times a
// power of ten; ok is false if there is no such value.
func Log(values ...[]float64) (s Scale, ok bool) {
	lo, hi := math.Inf(1), 0.0
	for _, list := range values {
		for _, v := range list {
			if v > 0 && !math.IsInf(v, 0) {
				lo, hi = math.Min(lo, v), math.Max(hi, v)
			}
		}
	}
	if hi == 0 {
		return Scale{}, false
	}
	s = Scale{Log: true, Lo: round125(lo*.9, false), Hi: round125(hi*1.02, true)}
	if s.Hi <= s.Lo*1.5 {
		s.Lo = round125(s.Hi/5, false)
	}
	return s, true
}

// At returns the position of v. A value outside the scale lies on its edge, an infinite value
// on the upper one.
func (s Scale) At(v float64) float64 {
	f := (v - s.Lo) / (s.Hi - s.Lo)
	if s.Log {
		f = 0
		if v > 0 {
			f = math.Log(v/s.Lo) / math.Log(s.Hi/s.Lo)
		}
	}
	return math.Max(0, math.Min(1, f))
}

// Ticks returns the values to write beside the plot, about four to seven.
func (s Scale) Ticks() []float64 {
	var out []float64
	if !s.Log {
		by := cmp.Or(s.By, 1)
		step := nice((s.Hi-s.Lo)/4/by) * by
		for i := math.Max(0, math.Ceil(s.Lo/step-1e-9)); ; i++ {
			v := step * i
			if v > s.Hi*1.001 {
				return out
			}
			out = append(out, v)
		}
	}
	decades := math.Log10(s.Hi / s.Lo)
	for e := math.Floor(math.Log10(s.Lo)); e <= math.Log10(s.Hi); e++ {
		for _, m := range []float64{1, 2, 5} {
			v := m * math.Pow(10, e)
			few := decades > 1.7 && m != 1
			if v < s.Lo*.999 || v > s.Hi*1.001 || few {
				continue
			}
			out = append(out, v)
		}
	}
	return out
}

// nice returns the smallest of 1, 2, 2.5, 5 times a power of ten that is at least f.
func nice(f float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(f)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if f <= m*p*1.0001 {
			return m * p
		}
	}
	return 10 * p
}

func round125(f float64, up bool) float64 {
	p := math.Pow(10, math.Floor(math.Log10(f)))
	steps := []float64{1, 2, 5, 10}
	if up {
		for _, m := range steps {
			if f <= m*p*1.0001 {
				return m * p
			}
		}
	}
	best := p
	for _, m := range steps {
		if m*p <= f*1.0001 {
			best = m * p
		}
	}
	return best
}

// timeSteps are the possible distances of moments on an axis, in seconds.
var timeSteps = []float64{
	.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800,
	21600,
	43200, 86400,
}

// timeTicks returns round moments between a and b, at most most of them.
func timeTicks(a, b float64, most int) []float64 {
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if (b-a)/s <= float64(most) {
			step = s
			break
		}
	}
	for (b-a)/step > float64(most) {
		step *= 2
	}
	var out []float64
	for i := math.Ceil(a/step - 1e-9); i*step <= b+step*1e-9; i++ {
		out = append(out, i*step)
	}
	return out
}
