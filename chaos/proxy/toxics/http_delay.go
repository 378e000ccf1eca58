package toxics

import (
	"errors"
	"time"

	"brunt/chaos/proxy"
)

// HTTPDelay delays a share of the requests by Delay ± Jitter, in HTTP/1.x together with the bytes that follow
// on the same connection.
type HTTPDelay struct {
	Delay  time.Duration
	Jitter time.Duration // largest deviation, uniform; 0 is none
	Share  float64       // of the matching requests, from 0 to 1; 0 is all
	Path   string        // as in HTTPError
	Method string        // empty is all
}

func (t HTTPDelay) Check(parsed bool) error {
	return errors.Join(checkDelay(t.Delay, t.Jitter), checkRequests(parsed, t.Share))
}

func (t HTTPDelay) Begin() proxy.Effect {
	filter := func(s proxy.Point) proxy.RequestFilter { return proxy.NewRequestFilter(s, t.Share, t.Path, t.Method) }
	gate := func(s proxy.Point) proxy.Gate {
		if s.Direction != proxy.Forward {
			return nil
		}
		return &delayer{RequestFilter: filter(s), HTTPDelay: t}
	}
	return proxy.Effect{CountsItself: true, Gate: gate, Streams: func(s proxy.Point) *proxy.StreamEffect {
		return &proxy.StreamEffect{
			RequestFilter: filter(s), Delay: func(fraction float64) time.Duration { return swung(t.Delay, t.Jitter, fraction) },
		}
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
	return it.Arrived.Add(swung(g.Delay, g.Jitter, g.Fraction(it))), proxy.Leave
}
