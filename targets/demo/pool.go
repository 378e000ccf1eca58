package demo

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// A pool bounds the work that a service does at once, such as requests in progress or connections to another service.
// Further work waits, and starts in the order of arrival.
//
// A nil pool has no bound.
type pool struct {
	slots chan struct{} // one for each place in use
	most  int           // how many wait at once; negative: no bound
	wait  time.Duration // how long each waits; 0: no bound
	leak  time.Duration // a place that was in use for longer is not given back; 0: all are

	waiting atomic.Int64
}

// newPool makes a pool of n places, with no bound on the work that waits; 0 makes none.
func newPool(n int) *pool {
	if n == 0 {
		return nil
	}
	return &pool{slots: make(chan struct{}, n), most: -1}
}

// poolFull is the answer to a request that has to wait too long, or behind too many.
var poolFull = &problem{
	status: http.StatusServiceUnavailable, text: "too many requests wait", after: time.Second,
}

// take waits for a place, which free gives back. A request of low urgency may have only share of the others before it
// in the queue. The error is poolFull, or the error of ctx.
func (p *pool) take(ctx context.Context, share float64) (free func(), err error) {
	if p == nil {
		return func() {}, nil
	}
	select {
	case p.slots <- struct{}{}: // no place is free while others wait for one
		return p.freed(), nil
	default:
	}
	defer p.waiting.Add(-1)
	if n := p.waiting.Add(1); p.most >= 0 && float64(n) > share*float64(p.most) {
		return nil, poolFull
	}
	var late <-chan time.Time
	if p.wait > 0 {
		t := time.NewTimer(p.wait)
		defer t.Stop()
		late = t.C
	}
	select {
	case p.slots <- struct{}{}:
		return p.freed(), nil
	case <-late:
		return nil, poolFull
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// load returns how much is in work or waits.
func (p *pool) load() int { return len(p.slots) + int(p.waiting.Load()) }

func (p *pool) freed() func() {
	began := time.Now()
	return func() {
		if p.leak == 0 || time.Since(began) <= p.leak {
			<-p.slots
		}
	}
}

// hold waits for a place, and keeps it for d.
func (p *pool) hold(ctx context.Context, d time.Duration) error {
	free, err := p.take(ctx, 1)
	if err != nil {
		return err
	}
	defer free()
	return pause(ctx, d)
}

// pause waits for d, or until ctx ends. It does not wait if d is 0.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
