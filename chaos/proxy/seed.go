package proxy

import (
	"math"
	"math/rand/v2"
)

// mix makes one number of a seed and a place, by rounds of SplitMix64 (Steele,
// Lea, Flood 2014).
func mix(seed uint64, place ...uint64) uint64 {
	z := seed
	for _, p := range place {
		z += 0x9e3779b97f4a7c15 * (p + 1)
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
	}
	return z
}

// fraction is a number from 0 to below 1 for a place.
func fraction(seed uint64, place ...uint64) float64 {
	return float64(mix(seed, place...)>>11) / (1 << 53)
}

// chosen tells whether the place is among the given share of all places.
func chosen(share float64, seed uint64, place ...uint64) bool {
	return fraction(seed, place...) < share
}

// source is a random source of one place.
func source(seed uint64, place ...uint64) *rand.Rand {
	s := mix(seed, place...)
	return rand.New(rand.NewPCG(s, mix(s, 1)))
}

// A swing draws numbers from -1 to 1, uniform or normal (then with a standard
// deviation of 1 and no bounds), where each is correlated with the one before.
//
// Subtle: mixing uniform numbers, as netem does, narrows their range. So the
// series is normal, z' = rho z + sqrt(1-rho²) e, which keeps its distribution, and
// is mapped to uniform by the normal distribution function; 2 sin(pi c/6) is the
// rho that gives the uniform series the correlation c (Pearson 1907).
type swing struct {
	rand   *rand.Rand
	rho    float64
	normal bool
	z      float64
	begun  bool
}

func newSwing(r *rand.Rand, correlation float64, normal bool) *swing {
	s := &swing{rand: r, rho: correlation, normal: normal}
	if !normal {
		s.rho = 2 * math.Sin(math.Pi*correlation/6)
	}
	return s
}

func (s *swing) next() float64 {
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
