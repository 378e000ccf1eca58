package proxy

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// A Toxic is a fault on a link, such as Latency, Partition or HTTPError of package toxics.
type Toxic interface {
	// Check returns all mistakes in the settings. http reports that the proxy parses its
	// connections.
	Check(http bool) error
	// Begin returns the effect of the toxic. It is called each time the toxic is added.
	Begin() Effect
}

// An Effect is the effect of a toxic once it is added.
type Effect struct {
	Gate             func(Point) Gate           // effect on bytes; nil is none
	Edit             func(Point) *Editor        // effect on requests and responses; nil is none
	Streams          func(Point) *StreamEffect  // effect on requests of HTTP/2, where Gate does not see them; nil is none
	Datagrams        func(Point) DatagramEffect // effect on datagrams of UDP; nil, or a nil result, is none
	Admit            Admission                  // what happens to new connections
	DropOnClose      bool                       // a held new connection is dropped when its client ends it
	SpareEstablished bool                       // established connections are not affected
	ResetEstablished bool                       // established connections are reset
	CloseListener    bool                       // the listener is closed
	Once             bool                       // the toxic ends as soon as it is added
	CountsItself     bool                       // counts the affected connections itself
}

// ErrNotHTTP reports that a toxic on requests was added to a proxy that does not parse them.
var ErrNotHTTP = errors.New("the proxy was not started for HTTP (Config.HTTP), so it can't tell requests apart")

// errClosed reports that the proxy was closed.
var errClosed = errors.New("the proxy is closed")

// A Direction is the direction of bytes. Zero is the toxic's own default.
type Direction uint8

const (
	Forward Direction = iota + 1 // from the client to the upstream
	Back                         // from the upstream to the client
	Both                         // each direction
)

// Or returns d, or zero if d is 0.
func (d Direction) Or(zero Direction) Direction {
	if d == 0 {
		return zero
	}
	return d
}

// Has reports whether d, which is Forward, Back or Both, contains one.
func (d Direction) Has(one Direction) bool { return d == Both || d == one }

func (d Direction) Check() error {
	if d > Both {
		return errors.New("the direction must be Forward, Back or Both")
	}
	return nil
}

// Traffic counts the traffic that passed a proxy, or that a toxic affected. Probes are not counted.
type Traffic struct {
	Connections   int64
	Forward, Back int64 // bytes, by direction
	Hit, Passed   int64 // HTTP requests that were selected, and that were not
	// of an HTTP proxy, the connections with bytes in a protocol that it does not read; zero for a toxic
	Unread int64
}

// Requests returns the number of requests, by the protocols that the proxy reads.
func (t Traffic) Requests() int64 { return t.Hit + t.Passed }

// Any reports whether any count is not zero.
func (t Traffic) Any() bool { return t != Traffic{} }

// counters is a Traffic in progress.
type counters struct{ connections, forward, back, hit, passed, unread atomic.Int64 }

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
		Hit: c.hit.Load(), Passed: c.passed.Load(), Unread: c.unread.Load(),
	}
}

// A Toxicity is a toxic that was added to a proxy.
type Toxicity interface {
	// Seen returns what the toxic has affected while it was active:
	//
	//   - Forward and Back are the bytes that reached it in the directions that it acts
	//     on, including those that it discarded.
	//   - Connections are those with such bytes, those that it held, and those that it
	//     reset. The proxy can't count connections that a closed listener refused; only
	//     their clients can.
	//   - HTTPError, HTTPDelay and HTTPRewrite count only requests that match their path and method:
	//     Hit were selected, Passed were not; Forward are the bytes of both.
	Seen() Traffic
	// Status says what happened to the toxic besides its effect. It is zero if that is not known.
	Status(ctx context.Context) Status
	// Remove removes the toxic. When it returns, the toxic has no effect on new data, and held data has
	// been released. It never waits for a peer. Calling it again is harmless and retries what failed:
	// the only error is a listener that can't be opened again.
	Remove() error
}

// A Status says what happened to a toxic besides its effect.
type Status struct {
	Lifted time.Duration // how long ago the process of the proxy removed it, at the end of its lease; zero: it did not
	Broken string        // first failure of the proxy itself while the toxic was active; empty: none
}

// A toxicity is a Toxicity of a proxy in this process.
type toxicity struct {
	p      *Proxy
	toxic  Toxic
	n      uint64 // its number among all toxics ever added
	effect Effect
	seen   counters
	off    atomic.Bool           // it is being removed
	lines  [2][2]datagramLine    // of traffic and of probes, by direction; guarded by the relay's lock
	broken atomic.Pointer[error] // see Status

	mu      sync.Mutex // held by Remove
	removed bool
}

func (t *toxicity) Seen() Traffic { return t.seen.traffic() }

func (t *toxicity) Status(context.Context) (s Status) {
	if err := t.broken.Load(); err != nil {
		s.Broken = (*err).Error()
	}
	return s
}

func (t *toxicity) Remove() error {
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
