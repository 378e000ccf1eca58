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

// limit is the memory cost in bytes of the items that one direction of one connection may hold;
// then it stops reading.
const limit = 768 << 10

// past is a deadline that interrupts a read or write at once.
var past = time.Unix(1, 0)

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

	mu       sync.Mutex
	cond     sync.Cond       // the reader waits for it
	wake     chan struct{}   // the driver waits for it
	src      *net.TCPConn    // nil until connected
	dst      *net.TCPConn    // nil until connected
	rawSrc   syscall.RawConn // of src
	rawDst   syscall.RawConn // of dst
	stages   []*stage
	out      fifo    // items that passed all stages
	count    int     // items in stages and out
	replies  []reply // the proxy's own, to requests that ended here
	splicing bool    // the reader is splicing
	driving  bool    // there is a driver
	unread   bool    // src's read deadline is in the past
	unwrit   bool    // dst's write deadline is in the past
	gone     error   // src is gone, as a write to it reported
	stuck    error   // dst is gone
	eased    bool    // it was over limit and no longer is
	ended    bool    // the stream's end has been queued
	hung     bool    // a toxic ended it, and the other direction must be told
	dead     bool
	splices  bool // the kernel supports splice
	bridge   bridge

	held atomic.Int64 // memory cost of its items
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
	f.dst, f.rawDst = dst, raw
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

// pokeRead interrupts a pending read from src. The lock is held.
func (f *flow) pokeRead() {
	if f.src != nil {
		f.unread = true
		_ = f.src.SetReadDeadline(past)
	}
}

// add adds a stage before the flow has begun.
func (f *flow) add(s *stage) {
	if s != nil {
		f.stages = append(f.stages, s)
	}
}

// install adds a stage after all others, before all data that has not left yet.
func (f *flow) install(s *stage) {
	if s == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stages = append(f.stages, s)
	for now := time.Now(); f.out.len() > 0; {
		it := f.out.pop()
		it.Arrived = now
		s.enter(it)
	}
	if f.splicing {
		f.pokeRead()
	}
	if f.splicing || f.driving {
		f.pokeWrite()
	}
	f.changed()
}

// uninstall removes the stage of x, if there is one, and releases its items. It reports whether the
// stage lost data.
func (f *flow) uninstall(x *Toxicity) (lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.stages, func(s *stage) bool { return s.m.x == x })
	if i < 0 {
		return false
	}
	s := f.stages[i]
	f.stages = slices.Delete(f.stages, i, i+1)
	for now := time.Now(); s.q.len() > 0; {
		it := s.q.pop()
		it.Arrived = now
		f.move(i, it)
	}
	f.changed()
	return s.lost
}

func (f *flow) holds() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count > 0 || f.bridge.holds()
}

// die ends the flow after its sockets are closed.
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
		case f.gone != nil:
			return fail
		case f.stuck != nil:
		case f.splices && len(f.stages) == 0:
			if f.dst != nil && f.count == 0 && !f.driving {
				f.splicing = true
				f.clearRead()
				f.clearWrite()
				return copies
			}
		case f.room():
			f.clearRead()
			return take
		}
		f.cond.Wait()
	}
}

// room reports whether the flow may read. Before the upstream is connected, data that no toxic
// needs stays in the system's buffers.
func (f *flow) room() bool {
	if f.dst == nil && len(f.stages) == 0 || f.held.Load() >= limit {
		return false
	}
	return f.l.http == nil || f.dir == Back || f.opp.held.Load() < limit && !f.l.http.full()
}

func (f *flow) clearRead() {
	if f.unread {
		f.unread = false
		_ = f.src.SetReadDeadline(time.Time{})
	}
}

func (f *flow) clearWrite() {
	if f.unwrit {
		f.unwrit = false
		_ = f.dst.SetWriteDeadline(time.Time{})
	}
}

// read is the flow's reader. It returns at the end of its stream.
func (f *flow) read(src *net.TCPConn) {
	raw, err := src.SyscallConn()
	if err != nil {
		f.l.shut(true)
		return
	}
	f.mu.Lock()
	f.src, f.rawSrc = src, raw
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
	b, whole, err := f.receive()
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
	return f.stuck != nil
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
	f.pokeRead()
	f.changed()
}

// lose records that writing to the flow's src failed: src is gone.
func (f *flow) lose(err error) {
	f.mu.Lock()
	again := f.ended
	f.gone = err
	if again {
		f.put(Item{Kind: reset})
	} else {
		f.pokeRead()
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
	if f.stuck != nil || f.dead {
		return
	}
	it.Arrived = time.Now()
	f.count++
	f.held.Add(int64(it.cost()))
	f.move(0, it)
}
