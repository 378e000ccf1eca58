package demo

import (
	"context"
	"sync"
	"time"
)

// A line lets requests through one after the other, each for the same time: a queue with one server. A nil line lets
// every request through at once.
//
// A request whose caller is gone keeps its place, as in a service that finishes what it began. So a line without a
// bound, and callers that give up and try again, are a metastable failure in wait: it works on requests that no caller
// waits for.
type line struct {
	each time.Duration // service time of a request
	most time.Duration // the longest wait before the service of a request begins; zero is no bound

	mu   sync.Mutex
	free time.Time // when the requests before are done
}

// newLine returns a line for so many requests a second, in which so many may wait; a bound of zero means no bound. It
// returns nil for a rate of zero.
func newLine(perSecond float64, bound int) *line {
	if perSecond <= 0 {
		return nil
	}
	each := time.Duration(float64(time.Second) / perSecond)
	return &line{each: each, most: time.Duration(bound) * each}
}

// wait returns when the request is served. The error is poolFull if too many wait, or that of ctx if the caller is
// gone.
//
// subtle: it computes the time at which the request is done from those before, so that a late wake-up of this machine
// delays one request and does not lower the rate.
func (l *line) wait(ctx context.Context) error {
	if l == nil {
		return nil
	}
	now := time.Now()
	l.mu.Lock()
	if l.free.Before(now) {
		l.free = now
	}
	if l.most > 0 && l.free.Sub(now) > l.most {
		l.mu.Unlock()
		return poolFull
	}
	l.free = l.free.Add(l.each)
	done := l.free
	l.mu.Unlock()
	return pause(ctx, done.Sub(now))
}
