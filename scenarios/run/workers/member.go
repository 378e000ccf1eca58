package workers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brunt/chaos/rpc"
	"brunt/scenarios/measure"
)

// A member is a worker, and the conversation with it.
type member struct {
	n      int // number of the worker, from 0
	post   Post
	client *rpc.Client
	over   chan struct{} // closed when no more reports will come
	quiet  chan struct{} // closed when it begins no further iteration
	ahead  time.Duration // for a worker elsewhere: how far its clock is ahead of this machine's
	unsure time.Duration // uncertainty of ahead

	mu     sync.Mutex
	killed error // why the run ended it; nil if it did not
	state  state
}

// state is the state of a worker as the run knows it.
type state struct {
	last   Report
	word   time.Duration // time of its last answer
	froze  []measure.Freeze
	silent bool          // its answer is overdue
	stood  time.Duration // total time for which its answers were overdue
	end    *Ended        // nil if it has not reported its end
	lost   error         // nil if it is not lost
	at     time.Duration // when it was lost
	off    time.Duration // lower bound of the error of its clock
}

// Time limits of a conversation.
const (
	joinWithin  = time.Minute
	readyWithin = 2 * time.Minute
	startWithin = 10 * time.Second
	turnEvery   = 200 * time.Millisecond
	answerAtAll = 1000 * time.Hour // in effect no limit for turns, because a worker returns each batch only once
	overdue     = 3 * time.Second
	endsWithin  = 5 * time.Second
)

// join begins the conversation with worker n.
func join(ctx context.Context, n int, p Post) (*member, error) {
	m := &member{n: n, post: p, over: make(chan struct{}), quiet: make(chan struct{})}
	ctx, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	var err error
	if m.client, err = rpc.NewClient(ctx, p); err != nil {
		p.Kill()
		return nil, fmt.Errorf("start worker %d: %w", n+1, errors.Join(err, m.why()))
	}
	return m, nil
}

// kill ends the worker at once, because of an error if it is not nil.
func (m *member) kill(why error) {
	m.mu.Lock()
	if m.killed == nil {
		m.killed = why
	}
	m.mu.Unlock()
	m.post.Kill()
}

// why returns how the worker ended; nil while it runs, and if it ended in order.
func (m *member) why() error {
	m.mu.Lock()
	killed := m.killed
	m.mu.Unlock()
	if killed != nil {
		return killed
	}
	return m.post.Why()
}

// call sends a request to the worker and waits for the answer for at most within. The end of ctx ends the call; the
// worker is then closed.
func call[A, R any](
	ctx context.Context, m *member, within time.Duration, op rpc.Op[A, R], args A,
) (said R, err error) {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	said, err = op.Of(limited, m.client.Ask, args)
	switch {
	case err == nil:
		return said, nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return said, fmt.Errorf("worker %d: %w", m.n+1, err)
}

// close ends the worker: its input ends, and it exits.
func (m *member) close() {
	if m.client.CloseWithin(endsWithin) == nil {
		select {
		case <-m.post.Ended():
		case <-time.After(endsWithin):
		}
	}
	m.kill(nil)
}

// hush records that the worker begins no further iteration.
func (m *member) hush() {
	if !closed(m.quiet) {
		close(m.quiet)
	}
}

// read returns the state of the worker.
func (m *member) read() state {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// change changes the state of the worker.
func (m *member) change(do func(s *state)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do(&m.state)
}
