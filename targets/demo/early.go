package demo

import (
	"context"
	"sync"
	"time"
)

const (
	earlyDelay   = 500 * time.Millisecond // between the acknowledgement and the store
	earlyQueue   = 4096                   // writes that wait; more are not acknowledged early
	earlyWorkers = 4
	earlyPause   = 100 * time.Millisecond // before the retry of a write that the store rejected
)

// early acknowledges writes before the store has them, and sends them to the store later. A crash
// of the replica loses the waiting writes although they were acknowledged. An orderly stop sends
// them first.
//
// A nil early acknowledges nothing.
type early struct {
	commit  func(context.Context, waiting) error
	queue   chan waiting // never closed: an interrupted request may still write to it
	quit    chan struct{}
	cancel  context.CancelFunc
	workers sync.WaitGroup
}

type waiting struct {
	post  post
	key   string
	trace trace
	at    time.Time
}

func newEarly(commit func(context.Context, waiting) error) *early {
	return &early{commit: commit, queue: make(chan waiting, earlyQueue), quit: make(chan struct{})}
}

// take accepts a write; false means that too many wait.
func (e *early) take(ctx context.Context, p post, key string) bool {
	select {
	case e.queue <- waiting{p, key, traceIn(ctx), time.Now().Add(earlyDelay)}:
		return true
	default:
		return false
	}
}

func (e *early) start() {
	if e == nil {
		return
	}
	var ctx context.Context
	ctx, e.cancel = context.WithCancel(context.Background())
	for range earlyWorkers {
		e.workers.Go(func() { e.work(ctx) })
	}
}

// work sends writes to the store until quit is closed, and then the waiting ones.
func (e *early) work(ctx context.Context) {
	for {
		select {
		case w := <-e.queue:
			e.deliver(ctx, w)
			continue
		default:
		}
		select {
		case w := <-e.queue:
			e.deliver(ctx, w)
		case <-e.quit:
			return
		}
	}
}

// deliver waits until the write is due, or until the stop, and then tries until the store has the
// write.
func (e *early) deliver(ctx context.Context, w waiting) {
	select {
	case <-time.After(time.Until(w.at)):
	case <-e.quit:
	}
	for ctx.Err() == nil {
		if e.commit(withTrace(ctx, w.trace), w) == nil {
			return
		}
		select {
		case <-time.After(earlyPause):
		case <-ctx.Done():
		}
	}
}

// stop sends the waiting writes to the store until ctx ends.
func (e *early) stop(ctx context.Context) {
	if e == nil || e.cancel == nil {
		return
	}
	defer context.AfterFunc(ctx, e.cancel)()
	if ctx.Err() != nil {
		e.cancel() // AfterFunc calls it in a goroutine, and a worker may send a write before
	}
	close(e.quit)
	e.workers.Wait()
	e.cancel()
}
