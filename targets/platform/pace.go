package platform

import (
	"context"
	"time"
)

// runEvery is the minimum time between the starts of two checks that run a command.
const runEvery = 250 * time.Millisecond

// A Pace spaces out readiness checks that run a command. Each check forks a process, or creates an exec in a
// container, which the engine keeps. It is safe for concurrent use.
type Pace struct {
	turn chan time.Time // holds the start of the last check while no check waits
}

// NewPace returns a Pace whose first check may begin at once.
func NewPace() *Pace {
	p := &Pace{turn: make(chan time.Time, 1)}
	p.turn <- time.Time{}
	return p
}

// Wait waits until the next check may start, 250 ms after the start of the last one, or until ctx ends.
func (p *Pace) Wait(ctx context.Context) error {
	var last time.Time
	select {
	case last = <-p.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { p.turn <- last }()
	select {
	case <-time.After(time.Until(last.Add(runEvery))):
	case <-ctx.Done():
		return ctx.Err()
	}
	last = time.Now()
	return nil
}
