package toxics

import (
	"errors"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/seed"
)

// Latency delays every chunk by Delay ± Jitter from its arrival. The order of bytes is kept, so a chunk
// with a short delay waits for the one before it.
type Latency struct {
	Delay        time.Duration
	Jitter       time.Duration   // largest deviation; 0 is none
	Distribution Distribution    // of the jitter; zero is Uniform
	Correlation  float64         // of successive delays of one connection, from 0 to 1
	Direction    proxy.Direction // zero is Forward: one delay in each round trip
}

// A Distribution is the distribution of a delay.
type Distribution uint8

const (
	Uniform Distribution = iota // from Jitter below the delay to Jitter above it
	Normal                      // Jitter is the standard deviation; a delay is never negative
)

func (t Latency) Check(bool) error {
	var errs []error
	if t.Delay < 0 || t.Jitter < 0 {
		errs = append(errs, errors.New("a delay and its jitter can't be negative"))
	}
	if t.Delay == 0 && t.Jitter == 0 {
		errs = append(errs, errors.New("a latency needs a delay"))
	}
	if t.Distribution > Normal {
		errs = append(errs, errors.New("the distribution must be Uniform or Normal"))
	}
	if !(t.Correlation >= 0 && t.Correlation <= 1) {
		errs = append(errs, errors.New("a correlation lies between 0 and 1"))
	}
	return errors.Join(append(errs, t.Direction.Check())...)
}

func (t Latency) Begin() proxy.Effect {
	return proxy.Effect{Gate: func(s proxy.Point) proxy.Gate {
		if !t.Direction.Or(proxy.Forward).Has(s.Direction) {
			return nil
		}
		return t.gate(s)
	}, Datagrams: func(s proxy.Point) proxy.DatagramEffect {
		if !t.Direction.Or(proxy.Forward).Has(s.Direction) {
			return nil
		}
		g := t.gate(s)
		return func(b []byte, at time.Time, pass func([]byte, time.Time)) bool {
			pass(b, at.Add(g.draw()))
			return true
		}
	}}
}

func (t Latency) gate(s proxy.Point) *latency {
	return &latency{Latency: t, swing: seed.NewSwing(s.Random(), t.Correlation, t.Distribution == Normal)}
}

type latency struct {
	Latency
	swing *seed.Swing
}

func (g *latency) Next(it *proxy.Item, _, _ time.Time) (time.Time, proxy.Verdict) {
	return it.Arrived.Add(g.draw()), proxy.Leave
}

// draw returns the next delay.
func (g *latency) draw() time.Duration {
	d := g.Delay
	if g.Jitter > 0 {
		d = max(0, d+time.Duration(float64(g.Jitter)*g.swing.Next()))
	}
	return d
}
