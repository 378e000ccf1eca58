package targets

import (
	"cmp"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
)

// Places are the connections of a client to one address: at most Connections.Max, or as many as are needed. A call
// waits if none is free. Waiting calls are served in the order in which they came.
type Places[C Pooled] struct{ *places }

// Get takes an idle connection, opens one, or waits for one if the limit is reached. Slot is when the wait ended. The
// time to open a connection belongs to the service time and is added to spent. Waited reports whether there was a
// wait.
func (p *Places[C]) Get(
	deadline time.Duration, spent *scenarios.Opening,
) (c C, slot time.Duration, waited bool, err error) {
	some, slot, waited, err := p.get(deadline, spent)
	c, _ = some.(C)
	return c, slot, waited, err
}

// Replace closes c and opens a new connection in its place. It adds the time to spent, even if it fails; in that case
// it frees the place.
func (p *Places[C]) Replace(c C, deadline time.Duration, spent *scenarios.Opening) (C, error) {
	some, err := p.replace(c, deadline, spent)
	c, _ = some.(C)
	return c, err
}

// Open opens a connection that takes no place, for a protocol whose calls share connections. It records the time in
// stages.
func (p *Places[C]) Open(by Connector[C], deadline time.Duration, stages *Stages) (C, error) {
	some, err := p.open(by.plain(), deadline, stages)
	c, _ := some.(C)
	return c, err
}

// places are [Places] of connections of any type.
type places struct {
	pool *pool
	by   connector
	turn atomic.Uint64 // number of the next connection

	trim atomic.Int64 // when trimmed is due, on the run's clock

	mu      sync.Mutex
	idle    []Pooled // the last used one is taken first
	unused  int      // the first ones of idle, which no call took since the last call of trimmed
	taken   int      // places of connections, idle or in use
	waiting []*waiter
}

// defaultMaxIdle is how long a connection is at least unused before it is closed, unless the load sets max_idle.
const defaultMaxIdle = 90 * time.Second

// waiter is a call that waits for a connection.
type waiter struct {
	turn chan Pooled // receives a connection; nil means: open a new one
	gone bool        // it gave up; guarded by the mutex of the places
}

// get is [Places.Get].
func (p *places) get(
	deadline time.Duration, spent *scenarios.Opening,
) (c Pooled, slot time.Duration, waited bool, err error) {
	p.mu.Lock()
	if k := len(p.idle); k > 0 {
		c = p.idle[k-1]
		p.idle[k-1] = nil
		p.idle = p.idle[:k-1]
		p.unused = min(p.unused, k-1)
		p.mu.Unlock()
	} else if most := p.pool.o.Connections.Max; most > 0 && p.taken >= most {
		w := &waiter{turn: make(chan Pooled, 1)}
		p.waiting = append(p.waiting, w)
		p.mu.Unlock()
		waited = true
		if c, err = p.wait(w, deadline); err != nil {
			return nil, p.pool.o.Now(), waited, err
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
		return nil, slot, waited, os.ErrDeadlineExceeded
	case c == nil || p.pool.worn(c) || p.pool.idled(c, slot):
		c, err = p.replace(c, deadline, spent)
	default:
		use(c)
	}
	return c, slot, waited, err
}

// trimmed closes the connections that no call took since its last call, in a goroutine of its own. A stall of the
// target, or of an intermediary, leaves hundreds of connections that are not needed afterwards.
func (p *places) trimmed(now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.trim.Swap(int64(now+cmp.Or(p.pool.o.Connections.MaxIdle.D(), defaultMaxIdle))) == 0
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
			p.pool.drop(c)
		}
	})
}

// use counts a call on c.
func use(c Pooled) {
	if l := c.Terms(); l.Left > 0 {
		l.Left--
	}
}

// wait waits for a connection. The zero value without an error means that the caller may open a new one.
func (p *places) wait(w *waiter, deadline time.Duration) (Pooled, error) {
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
	return nil, err
}

// back returns a result of Get that was not used.
func (p *places) back(c Pooled) {
	if c == nil {
		p.leave()
		return
	}
	p.Put(c, true)
}

// next removes the call that has waited longest from the line. It is nil if no call waits.
func (p *places) next() *waiter {
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
func (p *places) Put(c Pooled, keep bool) {
	if !keep || p.pool.worn(c) {
		p.pool.drop(c)
		p.leave()
		return
	}
	l := c.Terms()
	if l.Used = true; p.pool.o.Connections.MaxIdle > 0 {
		l.rest = p.pool.o.Now()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.next(); w != nil {
		w.turn <- c
		return
	}
	p.idle = append(p.idle, c)
}

// leave frees the place of a closed connection. The first waiting call may open a new connection in it.
func (p *places) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.next(); w != nil {
		w.turn <- nil
		return
	}
	p.taken--
}

// replace is [Places.Replace]. If c is nil, there is only a place and nothing to close.
func (p *places) replace(c Pooled, deadline time.Duration, spent *scenarios.Opening) (Pooled, error) {
	if c != nil {
		p.pool.drop(c)
	}
	stages, began := NewStages(p.pool.o.Now), p.pool.o.Now()
	c, err := p.open(p.by, deadline, stages)
	spent.Add(stages.Between(began, p.pool.o.Now()))
	if err != nil {
		p.leave()
		return nil, err
	}
	use(c)
	return c, nil
}

func (p *places) open(by connector, deadline time.Duration, stages *Stages) (Pooled, error) {
	return p.pool.open(by, p.turn.Add(1)-1, deadline, stages)
}

// Adopt gives a connection of Open a place, or closes it if the limit is reached.
func (p *places) Adopt(c Pooled) {
	p.mu.Lock()
	most := p.pool.o.Connections.Max
	full := most > 0 && p.taken >= most
	if !full {
		p.taken++
	}
	p.mu.Unlock()
	if full {
		p.pool.drop(c)
		return
	}
	p.Put(c, true)
}

// waits returns the number of waiting calls.
func (p *places) waits() (n int) {
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
func (p *places) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.unused = nil, 0
	p.taken -= len(idle)
	p.mu.Unlock()
	for _, c := range idle {
		p.pool.drop(c)
	}
	p.pool.mu.Lock()
	defer p.pool.mu.Unlock()
	p.pool.places = slices.DeleteFunc(p.pool.places, func(other *places) bool { return other == p })
}
