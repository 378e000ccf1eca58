package toxics

import (
	"errors"
	"time"

	"brunt/chaos/proxy"
)

// GRPCDelay delays a share of the calls of gRPC by Delay ± Jitter. Other calls on the same connection pass.
type GRPCDelay struct {
	Delay  time.Duration
	Jitter time.Duration // largest deviation, uniform; 0 is none
	Share  float64       // of the matching calls, from 0 to 1; 0 is all
	Path   string        // as in GRPCError
}

func (t GRPCDelay) Check(parsed bool) error {
	return errors.Join(checkDelay(t.Delay, t.Jitter), checkRequests(parsed, t.Share))
}

func (t GRPCDelay) Begin() proxy.Effect {
	return proxy.Effect{CountsItself: true, Streams: func(s proxy.Point) *proxy.StreamEffect {
		return &proxy.StreamEffect{
			RequestFilter: proxy.NewRequestFilter(s, t.Share, t.Path, "").CallsOnly(),
			Delay:         func(fraction float64) time.Duration { return swung(t.Delay, t.Jitter, fraction) },
		}
	}}
}
