package proxy

import (
	"errors"
	"sync"
	"sync/atomic"
)

// A Toxic is one way to break a link: Latency, Bandwidth, Stall, Blackhole,
// Partition, Reset, SlowClose, Limit, Slicer, HTTPError, HTTPDelay, HTTPRewrite.
type Toxic interface {
	// Check tells what is wrong with the settings, all of it. HTTP tells that the
	// proxy parses its connections.
	Check(http bool) error
	// Begin makes what the toxic does. It is called once for each time it is added.
	Begin() Effect
}

// An effect is what a toxic does from the time it is added.
type Effect struct {
	Gate             func(Point) Gate    // what it does to bytes; nil is nothing
	Edit             func(Point) *Editor // what it does to requests and answers; nil is nothing
	Admit            Admission           // what becomes of new connections
	DropOnClose      bool                // one that is still held is dropped when its client ends it
	SpareEstablished bool                // connections that are established are left alone
	ResetEstablished bool                // connections that are established are reset
	CloseListener    bool                // the listener is closed
	Once             bool                // dialed as soon as it is in
	CountsItself     bool                // counts by itself what met it
}

// ErrNotHTTP tells that a toxic on requests was added to a proxy that does not
// parse them.
var ErrNotHTTP = errors.New("the proxy was not started for HTTP (Config.HTTP), so it can't tell requests apart")

// ErrClosed tells that the proxy was closed.
var ErrClosed = errors.New("the proxy is closed")

// A Direction says which way bytes go. Zero is the toxic's own default.
type Direction uint8

const (
	Forward Direction = iota + 1 // from the client to the upstream
	Back                         // from the upstream to the client
	Both
)

// or is d, or what stands for zero.
func (d Direction) Or(zero Direction) Direction {
	if d == 0 {
		return zero
	}
	return d
}

// has tells whether d, which is Forward, Back or Both, contains one.
func (d Direction) Has(one Direction) bool { return d == Both || d == one }

func (d Direction) Check() error {
	if d > Both {
		return errors.New("the direction is none of Forward, Back, Both")
	}
	return nil
}

// Traffic counts what passed a proxy or met a toxic. Probes are not in it.
type Traffic struct {
	Connections   int64
	Forward, Back int64 // bytes, by direction
	Hit, Passed   int64 // HTTP requests that were hit, and that were let through
}

// Any tells whether there was any.
func (t Traffic) Any() bool { return t != Traffic{} }

// counters are a Traffic that is being counted.
type counters struct{ connections, forward, back, hit, passed atomic.Int64 }

func (c *counters) bytes(d Direction, n int) {
	if d == Forward {
		c.forward.Add(int64(n))
	} else {
		c.back.Add(int64(n))
	}
}

func (c *counters) traffic() Traffic {
	return Traffic{
		Connections: c.connections.Load(),
		Forward:     c.forward.Load(), Back: c.back.Load(),
		Hit: c.hit.Load(), Passed: c.passed.Load(),
	}
}

// A Toxicity is a toxic that was added to a proxy.
type Toxicity struct {
	p      *Proxy
	toxic  Toxic
	n      uint64 // its place among all that were ever added
	effect Effect
	seen   counters
	off    atomic.Bool // it is being removed

	mu      sync.Mutex // held by Remove
	removed bool
}

// Seen tells what met the toxic while it was in:
//
//   - Forward and Back are the bytes that came to it in the directions that it acts
//     on, those that it swallowed included.
//   - Connections are those with such bytes, those that it held, and those that it
//     reset. What a closed listener refused leaves no trace with the proxy: only
//     who was refused can count it.
//   - HTTPError, HTTPDelay and HTTPRewrite count only requests that fit their path and method:
//     Hit were chosen, Passed were not; Forward are the bytes of both.
func (t *Toxicity) Seen() Traffic { return t.seen.traffic() }

// Remove takes the toxic out. When it returns the toxic has no effect on anything
// that comes, and what it held is on its way. It never waits for a peer. Calling
// it again is harmless, and tries again what failed: only a listener that can't be
// opened again is an error.
func (t *Toxicity) Remove() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.removed {
		return nil
	}
	if err := t.p.remove(t); err != nil {
		return err
	}
	t.removed = true
	return nil
}
