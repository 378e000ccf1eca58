package toxics

import (
	"errors"
	"time"

	"brunt/chaos/proxy"
)

// HTTPDelay delays a share of the requests by Delay ± Jitter, together with the bytes that follow
// on the same connection.
type HTTPDelay struct {
	Delay  time.Duration
	Jitter time.Duration // largest deviation, uniform; 0 is none
	Share  float64       // of the matching requests, from 0 to 1; 0 is all
	Path   string        // as in HTTPError
	Method string        // empty is all
}

func (t HTTPDelay) Check(parsed bool) error {
	var errs []error
	if t.Delay < 0 || t.Jitter < 0 {
		errs = append(errs, errors.New("a delay and its jitter can't be negative"))
	}
	if t.Delay == 0 && t.Jitter == 0 {
		errs = append(errs, errors.New("an HTTP delay needs a delay"))
	}
	return errors.Join(append(errs, checkRequests(parsed, t.Share))...)
}

func (t HTTPDelay) Begin() proxy.Effect {
	return proxy.Effect{CountsItself: true, Gate: func(s proxy.Point) proxy.Gate {
		if s.Direction != proxy.Forward {
			return nil
		}
		return &delayer{RequestFilter: proxy.NewRequestFilter(s, t.Share, t.Path, t.Method), HTTPDelay: t}
	}}
}

type delayer struct {
	proxy.RequestFilter
	HTTPDelay
}

func (g *delayer) Next(it *proxy.Item, _, _ time.Time) (time.Time, proxy.Verdict) {
	if !g.Hits(it) {
		return it.Arrived, proxy.Leave
	}
	swing := 2*g.Fraction(it) - 1
	return it.Arrived.Add(max(0, g.Delay+time.Duration(float64(g.Jitter)*swing))), proxy.Leave
}
