package targets

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
)

// Places are the connections of a client to one address: at most Connections.Max, or as many as are needed. A call
// waits if none is free. Waiting calls are served in the order in which they came.
type Places[C Pooled] struct {
	pool *Pool[C]
	by   Connector[C]
	turn atomic.Uint64 // number of the next connection

	trim atomic.Int64 // when trimmed is due, on the run's clock

	mu      sync.Mutex
	idle    []C // the last used one is taken first
	unused  int // the first ones of idle, which no call took since the last call of trimmed
	taken   int // places of connections, idle or in use
	waiting []*waiter[C]
}

// idleFor is how long a connection is at least unused before it is closed.
const idleFor = 90 * time.Second

// waiter is a call that waits for a connection.
type waiter[C Pooled] struct {
	turn chan C // receives a connection; the zero value means: open a new one
	gone bool   // it gave up; guarded by the mutex of the places
}

// Get takes an idle connection, opens one, or waits for one if the limit is reached. Slot is when the wait ended. The
// time to open a connection belongs to the service time and is added to spent. Waited reports whether there was a
// wait.
func (p *Places[C]) Get(
	deadline time.Duration, spent *scenarios.Opening,
) (c C, slot time.Duration, waited bool, err error) {
	var none C
	p.mu.Lock()
	if k := len(p.idle); k > 0 {
		c = p.idle[k-1]
		p.idle[k-1] = none
		p.idle = p.idle[:k-1]
		p.unused = min(p.unused, k-1)
		p.mu.Unlock()
	} else if most := p.pool.o.Connections.Max; most > 0 && p.taken >= most {
		w := &waiter[C]{turn: make(chan C, 1)}
		p.waiting = append(p.waiting, w)
		p.mu.Unlock()
		waited = true
		if c, err = p.wait(w, deadline); err != nil {
			return none, p.pool.o.Now(), waited, err
		}
	} else {
		p.taken++
		p.mu.Unlock()
	}
	slot = p.pool.o.Now()
	if int64(slot) >= p.trim.Load() {
		p.trimmed(slot)
	}
	switch {
	case slot >= deadline:
		p.back(c)
		return none, slot, waited, os.ErrDeadlineExceeded
	case c == none || p.pool.worn(c):
		c, err = p.Replace(c, deadline, spent)
	default:
		use(c)
	}
	return c, slot, waited, err
}

// trimmed closes the connections that no call took since its last call, in a goroutine of its own. A stall of the
// target, or of an intermediary, leaves hundreds of connections that are not needed afterwards.
func (p *Places[C]) trimmed(now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.trim.Swap(int64(now+idleFor)) == 0
	old := slices.Clone(p.idle[:p.unused])
	if first || len(old) == 0 {
		p.unused = len(p.idle)
		return
	}
	p.idle = slices.Delete(p.idle, 0, len(old))
	p.taken -= len(old)
	p.unused = len(p.idle)
	p.pool.Go(func() {
		for _, c := range old {
			p.pool.Drop(c)
		}
	})
}

// use counts a call on c.
func use[C Pooled](c C) {
	if l := c.Terms(); l.Left > 0 {
		l.Left--
	}
}

// wait waits for a connection. The zero value without an error means that the caller may open a new one.
func (p *Places[C]) wait(w *waiter[C], deadline time.Duration) (C, error) {
	timer := time.NewTimer(deadline - p.pool.o.Now())
	defer timer.Stop()
	err := os.ErrDeadlineExceeded
	select {
	case c := <-w.turn:
		return c, nil
	case <-timer.C:
	case <-p.pool.over.Done():
		err = ErrAborted
	}
	p.mu.Lock()
	w.gone = true
	for len(p.waiting) > 0 && p.waiting[0].gone {
		p.waiting = p.waiting[1:]
	}
	p.mu.Unlock()
	select {
	case c := <-w.turn: // it came at the last moment
		p.back(c)
	default:
	}
	var none C
	return none, err
}

// back returns a result of Get that was not used.
func (p *Places[C]) back(c C) {
	var none C
	if c == none {
		p.leave()
		return
	}
	p.Put(c, true)
}

// next removes the call that has waited longest from the line. It is nil if no call waits.
func (p *Places[C]) next() *waiter[C] {
	for len(p.waiting) > 0 {
		w := p.waiting[0]
		p.waiting[0] = nil
		p.waiting = p.waiting[1:]
		if !w.gone {
			return w
		}
	}
	return nil
}

// Put returns a connection, for reuse if keep is true.
func (p *Places[C]) Put(c C, keep bool) {
	if !keep || p.pool.worn(c) {
		p.pool.Drop(c)
		p.leave()
		return
	}
	c.Terms().Used = true
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.next(); w != nil {
		w.turn <- c
		return
	}
	p.idle = append(p.idle, c)
}

// leave frees the place of a closed connection. The first waiting call may open a new connection in it.
func (p *Places[C]) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.next(); w != nil {
		var none C
		w.turn <- none
		return
	}
	p.taken--
}

// Replace closes c and opens a new connection in its place. If c is the zero value, there is only a place and nothing
// to close. It adds the time to spent, even if it fails; in that case it frees the place.
func (p *Places[C]) Replace(c C, deadline time.Duration, spent *scenarios.Opening) (C, error) {
	var none C
	if c != none {
		p.pool.Drop(c)
	}
	stages, began := NewStages(p.pool.o.Now), p.pool.o.Now()
	c, err := p.Open(p.by, deadline, stages)
	spent.Add(stages.Between(began, p.pool.o.Now()))
	if err != nil {
		p.leave()
		return none, err
	}
	use(c)
	return c, nil
}

// Open opens a connection that takes no place, for a protocol whose calls share connections. It records the time in
// stages.
func (p *Places[C]) Open(by Connector[C], deadline time.Duration, stages *Stages) (C, error) {
	return p.pool.open(by, p.turn.Add(1)-1, deadline, stages)
}

// Adopt gives a connection of Open a place, even over the limit.
func (p *Places[C]) Adopt(c C) {
	p.mu.Lock()
	p.taken++
	p.mu.Unlock()
	p.Put(c, true)
}

// waits returns the number of waiting calls.
func (p *Places[C]) waits() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.waiting {
		if !w.gone {
			n++
		}
	}
	return n
}

// Close closes all connections that no call uses, and removes the places from their client. No call may use the
// places afterwards.
func (p *Places[C]) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.unused = nil, 0
	p.taken -= len(idle)
	p.mu.Unlock()
	for _, c := range idle {
		p.pool.Drop(c)
	}
	p.pool.mu.Lock()
	defer p.pool.mu.Unlock()
	p.pool.places = slices.DeleteFunc(p.pool.places, func(other *Places[C]) bool { return other == p })
}
