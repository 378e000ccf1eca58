package proxy

import (
	"errors"
	"time"

	"brunt/chaos/seed"
)

// HTTPDelay holds a share of the requests back for Delay ± Jitter before they are
// passed on, and with each what follows it on its connection.
type HTTPDelay struct {
	Delay  time.Duration
	Jitter time.Duration // at most this much more or less, uniform; 0 is none
	Share  float64       // of the requests that fit, from 0 to 1; 0 is all
	Path   string        // as HTTPError's
	Method string        // empty is all
}

func (t HTTPDelay) check(parsed bool) error {
	var errs []error
	if t.Delay < 0 || t.Jitter < 0 {
		errs = append(errs, errors.New("a delay and its jitter can't be negative"))
	}
	if t.Delay == 0 && t.Jitter == 0 {
		errs = append(errs, errors.New("an HTTP delay needs a delay"))
	}
	return errors.Join(append(errs, checkAim(parsed, t.Share))...)
}

func (t HTTPDelay) begin() effect {
	return effect{picks: true, gate: func(s spot) gate {
		if s.dir != Forward {
			return nil
		}
		return &delayer{aim: newAim(s, t.Share, t.Path, t.Method), HTTPDelay: t}
	}}
}

type delayer struct {
	aim
	HTTPDelay
}

func (g *delayer) next(it *item, _, _ time.Time) (time.Time, verdict) {
	if !g.hits(it) {
		return it.in, leave
	}
	swing := 2*seed.Fraction(g.seed, g.toxic, it.req.n, 1) - 1
	return it.in.Add(max(0, g.Delay+time.Duration(float64(g.Jitter)*swing))), leave
}
