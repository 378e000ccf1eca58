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

// limit is how many bytes one direction of one connection holds, with what they
// cost; then it stops reading.
const limit = 768 << 10

// past is a deadline that ends a read or write at once.
var past = time.Unix(1, 0)

// A flow is one direction of a link. Its reader takes what comes; its driver,
// which there is only while something waits, moves it through the stages and
// writes it. With nothing in the way the reader does both.
//
// Subtle: bytes leave only under the lock, by system calls that don't block. So a
// stage that is put in under the lock is before all that has not left, without
// waiting for a goroutine; a deadline in the past makes those that wait for a
// socket look again.
type flow struct {
	l   *link
	dir Direction
	opp *flow // the other direction

	mu       sync.Mutex
	cond     sync.Cond       // the reader waits for a change
	wake     chan struct{}   // so does the driver
	src      *net.TCPConn    // nil until there is one
	dst      *net.TCPConn    // nil until there is one
	rawSrc   syscall.RawConn // of src
	rawDst   syscall.RawConn // of dst
	stages   []*stage
	out      fifo    // what passed all stages
	count    int     // items in stages and out
	replies  []reply // of the proxy itself, to requests that ended here
	splicing bool    // the reader lets bytes pass
	driving  bool    // somebody is the driver
	unread   bool    // src's read deadline is in the past
	unwrit   bool    // dst's write deadline is
	gone     error   // src is gone: writing to it told
	stuck    error   // dst is gone
	eased    bool    // it held too much and no longer does
	ended    bool    // the stream's end is in, nothing comes any more
	hung     bool    // a toxic ended it, and the other direction is to be told
	dead     bool
	splices  bool // the kernel can
	bridge   bridge

	held atomic.Int64 // what its items cost
}

func newFlow(l *link, dir Direction) *flow {
	f := &flow{l: l, dir: dir, wake: make(chan struct{}, 1), splices: canSplice && !l.p.c.HTTP}
	f.cond.L = &f.mu
	return f
}

// connect gives the flow its destination.
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

// changed wakes everybody who waits for the flow. The lock is held.
func (f *flow) changed() {
	f.cond.Broadcast()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// pokeRead makes who waits for src look again. The lock is held.
func (f *flow) pokeRead() {
	if f.src != nil {
		f.unread = true
		_ = f.src.SetReadDeadline(past)
	}
}

// add puts a stage in before the flow has begun.
func (f *flow) add(s *stage) {
	if s != nil {
		f.stages = append(f.stages, s)
	}
}

// install puts a stage in behind all others, before all that has not left yet.
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

// uninstall takes the stage of x out, if there is one, and lets what it held go on.
// It tells whether the stage lost something.
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

// die ends the flow; its sockets are closed.
func (f *flow) die() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
	f.changed()
}

// step is what a reader does next.
type step uint8

const (
	over   step = iota // nothing: the flow is
	fail               // pass on that src is gone
	take               // read some bytes for the stages
	copies             // let bytes pass by splice
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

// room tells whether the flow may read. Before the upstream is connected to, what
// no toxic asks for stays in the system's buffers.
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

// read is the flow's reader, until its stream's end.
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

// take reads some bytes and sends them on their way.
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

// end passes on that the stream has ended.
func (f *flow) end(err error) {
	if errors.Is(err, net.ErrClosed) {
		return // by the proxy itself
	}
	// Subtle: a reset that met a write to src is told to that write only; then
	// reading src finds an end.
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

// isStuck tells that dst is gone.
func (f *flow) isStuck() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stuck != nil
}

// finish puts the stream's end in; nothing is taken behind it.
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

// Lose tells that writing to the flow's src failed: src is gone.
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

// Feed takes an item in.
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
