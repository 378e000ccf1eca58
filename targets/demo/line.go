package demo

import (
	"context"
	"sync"
	"time"
)

// A line lets requests through one after the other, each for the same time: a queue without a bound, with one server. A
// nil line lets every request through at once.
type line struct {
	each time.Duration // service time of a request

	mu   sync.Mutex
	free time.Time // when the requests before are done
}

// newLine returns a line for so many requests a second; zero returns nil.
func newLine(perSecond float64) *line {
	if perSecond <= 0 {
		return nil
	}
	return &line{each: time.Duration(float64(time.Second) / perSecond)}
}

// wait returns when the request is served, or with an error when its caller is gone.
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
	l.free = l.free.Add(l.each)
	done := l.free
	l.mu.Unlock()
	return pause(ctx, done.Sub(now))
}
