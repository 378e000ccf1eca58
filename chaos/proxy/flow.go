package proxy

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A flow is one direction of a link. Its reader receives bytes. Its driver, which exists only
// while items wait, moves them through the stages and writes them. If nothing has to wait, the
// reader does both.
//
// Subtle: bytes leave only under the lock, by system calls that don't block. A stage that is
// added under the lock therefore comes before all bytes that have not left, without waiting for
// a goroutine. A deadline in the past interrupts goroutines that wait for a socket.
type flow struct {
	l   *link
	dir Direction
	opp *flow // the other direction

	mu       sync.Mutex    // guards the following fields
	cond     sync.Cond     // the reader waits for it
	wake     chan struct{} // the driver waits for it
	src      source
	dst      destination
	q        queue
	splicing bool // the reader is splicing
	driving  bool // there is a driver
	ended    bool // the stream's end has been queued
	hung     bool // a toxic ended it, and the other direction must end too
	dead     bool
	splices  bool // the kernel supports splice
	bridge   bridge

	largest atomic.Int64 // bytes of the largest write, for the flow of a probe
}

func newFlow(l *link, dir Direction) *flow {
	f := &flow{l: l, dir: dir, wake: make(chan struct{}, 1), splices: canSplice && !l.p.c.HTTP}
	f.cond.L = &f.mu
	return f
}

// connect sets the flow's destination.
func (f *flow) connect(dst *net.TCPConn) error {
	raw, err := dst.SyscallConn()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dst.conn, f.dst.raw = dst, raw
	f.changed()
	return nil
}

// changed wakes all goroutines that wait for the flow. The lock is held.
func (f *flow) changed() {
	f.cond.Broadcast()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// add adds a stage before the flow has begun.
func (f *flow) add(s *stage) {
	if s != nil {
		f.q.stages = append(f.q.stages, s)
	}
}

// install adds a stage after all others, before all data that has not left yet.
func (f *flow) install(s *stage) {
	if s == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.q.stages = append(f.q.stages, s)
	for now := time.Now(); f.q.out.len() > 0; {
		it := f.q.out.pop()
		it.Arrived = now
		s.enter(it)
	}
	if f.splicing {
		f.src.poke()
	}
	if f.splicing || f.driving {
		f.dst.poke()
	}
	f.changed()
}

// uninstall removes the stage of x, if there is one, and releases its items. It reports whether the
// stage lost data.
func (f *flow) uninstall(x *toxicity) (lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.q.stages, func(s *stage) bool { return s.m.x == x })
	if i < 0 {
		return false
	}
	s := f.q.stages[i]
	f.q.stages = slices.Delete(f.q.stages, i, i+1)
	for now := time.Now(); s.q.len() > 0; {
		it := s.q.pop()
		it.Arrived = now
		f.q.move(i, it)
	}
	f.changed()
	return s.lost
}

func (f *flow) holds() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.q.count > 0 || f.bridge.holds()
}

// die ends the flow; its sockets are closed next.
func (f *flow) die() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
	f.changed()
}

// step is the next action of a reader.
type step uint8

const (
	over   step = iota // none: the flow has ended
	fail               // forward that src is gone
	take               // read some bytes for the stages
	copies             // pass bytes by splice
)

// Next waits until the reader has something to do.
func (f *flow) Next() step {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.dead || f.ended:
			return over
		case f.src.lost != nil:
			return fail
		case f.dst.lost != nil:
		case f.splices && len(f.q.stages) == 0:
			if f.dst.conn != nil && f.q.count == 0 && !f.driving {
				f.splicing = true
				f.src.clear()
				f.dst.clear()
				return copies
			}
		case f.room():
			f.src.clear()
			return take
		}
		f.cond.Wait()
	}
}

// room reports whether the flow may read. Before the upstream is connected, data that no toxic
// needs stays in the system's buffers.
func (f *flow) room() bool {
	if f.dst.conn == nil && len(f.q.stages) == 0 || f.q.held.Load() >= limit {
		return false
	}
	return f.l.http == nil || f.dir == Back || f.opp.q.held.Load() < limit && !f.l.http.full()
}

// read is the flow's reader. It returns at the end of its stream.
func (f *flow) read(src *net.TCPConn) {
	raw, err := src.SyscallConn()
	if err != nil {
		f.l.shut(true)
		return
	}
	f.mu.Lock()
	f.src.conn, f.src.raw = src, raw
	f.mu.Unlock()
	for {
		var err error
		switch f.Next() {
		case over:
			return
		case fail:
			err = syscall.ECONNRESET
		case take:
			err = f.take()
		case copies:
			err = f.splice()
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			f.end(err)
			return
		}
	}
}

// take reads some bytes and forwards them.
func (f *flow) take() error {
	b, whole, err := f.src.receive()
	if len(b) > 0 {
		if f.l.http != nil {
			f.l.http.feed(f, b)
		} else {
			f.feed(Item{Bytes: b, whole: whole})
		}
		f.kick(true)
	}
	return err
}

// end forwards the end of the stream.
func (f *flow) end(err error) {
	if errors.Is(err, net.ErrClosed) {
		return // closed by the proxy itself
	}
	// Subtle: if a reset arrives during a write to src, only that write reports it; reading src
	// then returns EOF.
	wasReset := err != io.EOF || f.opp.isStuck()
	if f.dir == Forward && f.l.givenUp(wasReset) {
		f.l.shut(true)
		return
	}
	if f.l.http != nil {
		f.l.http.flush(f)
	}
	if wasReset {
		f.finish(reset)
	} else {
		f.finish(end)
	}
	f.kick(true)
}

// isStuck reports whether dst is gone.
func (f *flow) isStuck() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dst.lost != nil
}

// finish queues the stream's end; the flow accepts nothing after it.
func (f *flow) finish(k ItemKind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	f.put(Item{Kind: k})
	f.ended = true
	f.src.poke()
	f.changed()
}

// lose records that writing to the flow's src failed: src is gone.
func (f *flow) lose(err error) {
	f.mu.Lock()
	again := f.ended
	f.src.lost = err
	if again {
		f.put(Item{Kind: reset})
	} else {
		f.src.poke()
	}
	f.changed()
	f.mu.Unlock()
	if again {
		f.kick(false)
	}
}

// feed accepts an item.
func (f *flow) feed(it Item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.put(it)
	}
}

// put puts an item before the first stage. The lock is held.
func (f *flow) put(it Item) {
	if f.dst.lost != nil || f.dead {
		return
	}
	it.Arrived = time.Now()
	f.q.count++
	f.q.held.Add(int64(it.cost()))
	f.q.move(0, it)
}
