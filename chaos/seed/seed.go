// Package seed derives all random choices of faults from one seed: choices for an event from the event's position, and
// series of correlated draws. The seed and the position determine every choice in advance.
package seed

import (
	"math"
	"math/rand/v2"
)

// Golden and the factors are the constants of SplitMix64 (Steele, Lea, Flood 2014). They are exported for eBPF programs
// that compute the same rounds as [Mix].
const (
	Golden  = 0x9e3779b97f4a7c15
	Factor1 = 0xbf58476d1ce4e5b9
	Factor2 = 0x94d049bb133111eb
)

// Mix derives a number from a seed and a position, with rounds of SplitMix64.
func Mix(seed uint64, place ...uint64) uint64 {
	z := seed
	for _, p := range place {
		z += Golden * (p + 1)
		z = (z ^ z>>30) * Factor1
		z = (z ^ z>>27) * Factor2
		z ^= z >> 31
	}
	return z
}

// Fraction returns a number in [0, 1) for a position.
func Fraction(seed uint64, place ...uint64) float64 {
	return float64(Mix(seed, place...)>>11) / (1 << 53)
}

// Chosen reports whether the position is in the given share of all positions.
func Chosen(share float64, seed uint64, place ...uint64) bool {
	return Fraction(seed, place...) < share
}

// Source returns a random source for one position.
func Source(seed uint64, place ...uint64) *rand.Rand {
	s := Mix(seed, place...)
	return rand.New(rand.NewPCG(s, Mix(s, 1)))
}

// A Swing draws numbers from -1 to 1, uniform or normal (then with a standard deviation of 1 and
// without bounds). Each draw is correlated with the previous one.
//
// Subtle: mixing uniform numbers, as netem does, narrows their range. So the series is normal, z' =
// rho z + sqrt(1-rho²) e, which keeps its distribution, and is mapped to uniform by the normal
// distribution function; 2 sin(pi c/6) is the rho that gives the uniform series the correlation c
// (Pearson 1907).
type Swing struct {
	rand   *rand.Rand
	rho    float64
	normal bool
	z      float64
	begun  bool
}

// NewSwing returns a Swing with a correlation from 0 to 1 that draws from r.
func NewSwing(r *rand.Rand, correlation float64, normal bool) *Swing {
	s := &Swing{rand: r, rho: correlation, normal: normal}
	if !normal {
		s.rho = 2 * math.Sin(math.Pi*correlation/6)
	}
	return s
}

// Next returns the next number.
func (s *Swing) Next() float64 {
	e := s.rand.NormFloat64()
	if s.begun {
		e = s.rho*s.z + math.Sqrt(max(0, 1-s.rho*s.rho))*e
	}
	s.z, s.begun = e, true
	if s.normal {
		return e
	}
	return 1 - math.Erfc(e/math.Sqrt2)
}
