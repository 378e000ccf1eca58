package proxy

import (
	"errors"
	"math/rand/v2"
	"time"

	"brunt/chaos/seed"
)

// Slicer cuts what passes into pieces of Size ± Variation bytes and lets one go each
// Delay, so that a message comes in many parts.
type Slicer struct {
	Size      int           // bytes of a piece in the mean
	Variation int           // at most this many more or fewer, uniform; less than Size
	Delay     time.Duration // from one piece to the next
	Share     float64       // of the connections, from 0 to 1; 0 is all
	Direction Direction     // zero is Both
}

func (t Slicer) check(bool) error {
	var errs []error
	if t.Size <= 0 {
		errs = append(errs, errors.New("a slicer needs a size above 0"))
	}
	if t.Variation < 0 || t.Variation > 0 && t.Variation >= t.Size {
		errs = append(errs, errors.New("the variation is less than the size, and never negative"))
	}
	if t.Delay < 0 {
		errs = append(errs, errors.New("a delay can't be negative"))
	}
	return errors.Join(append(errs, checkShare(t.Share), t.Direction.check())...)
}

func (t Slicer) begin() effect {
	return effect{gate: func(s spot) gate {
		if !t.Direction.or(Both).has(s.dir) || !some(t.Share, s) {
			return nil
		}
		return &knife{Slicer: t, rand: seed.Source(s.seed)}
	}}
}

type knife struct {
	Slicer
	rand *rand.Rand
}

func (g *knife) piece() int {
	if g.Variation == 0 {
		return g.Size
	}
	return g.Size - g.Variation + g.rand.IntN(2*g.Variation+1)
}

func (g *knife) next(it *item, left, _ time.Time) (time.Time, verdict) {
	if it.kind != data || left.IsZero() {
		return later(it.in, left), leave
	}
	return later(it.in, left.Add(g.Delay)), leave
}
