package proxy

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/chaos/sockets"
)

// Admission is what becomes of a new connection.
type Admission uint8

const (
	Admit Admission = iota
	Wait            // until the toxic is removed; the upstream is not connected to before
	Deny            // reset at once
)

// dialFor is how long connecting to the upstream may take.
const dialFor = 10 * time.Second

// A link is one connection of a client and its other half to the upstream.
type link struct {
	p       *Proxy
	n       uint64
	rv      *rendezvous // of a probe
	ctx     context.Context
	cancel  context.CancelFunc
	down    *net.TCPConn
	forward *flow
	back    *flow
	http    *exchange // nil where nothing is parsed

	wg    sync.WaitGroup // the flows' goroutines
	ends  atomic.Int32   // flows that came to their end
	done  chan struct{}  // closed when all of it is over
	shift chan struct{}  // wakes who waits for admission

	mu          sync.Mutex
	attachments []*attachment // the toxics that it is under, in order
	up          *net.TCPConn
	dialed      bool // or about to
	dead        bool
}

func newLink(p *Proxy, down *net.TCPConn, n uint64, rv *rendezvous) *link {
	l := &link{p: p, n: n, rv: rv, down: down, done: make(chan struct{}), shift: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(p.ctx)
	l.forward, l.back = newFlow(l, Forward), newFlow(l, Back)
	l.forward.opp, l.back.opp = l.back, l.forward
	if p.c.HTTP {
		l.http = newExchange(l)
	}
	return l
}

func (l *link) isProbe() bool { return l.rv != nil }

// run carries the connection until both flows came to their end or it was cut.
func (l *link) run() {
	if l.back.connect(l.down) != nil {
		l.shut(true)
		return
	}
	l.wg.Go(func() {
		l.forward.read(l.down)
	})
	if up := l.connect(); up != nil && l.forward.connect(up) == nil {
		l.back.read(up)
	}
	l.wg.Wait()
	l.shut(true) // if it wasn't: something was lost on the way
}

// connect waits until the link may go on, and connects to the upstream. It gives
// nil when the link is over instead.
func (l *link) connect() *net.TCPConn {
	for {
		switch l.admission() {
		case Deny:
			l.shut(true)
			return nil
		case Wait:
			select {
			case <-l.shift:
				continue
			case <-l.ctx.Done():
				return nil
			}
		}
		break
	}
	d := net.Dialer{Timeout: dialFor, Control: l.p.c.Control}
	var c net.Conn
	err := l.p.c.Inside(func() (err error) {
		c, err = d.DialContext(l.ctx, "tcp", l.upstream())
		return err
	})
	if err != nil {
		l.shut(true)
		return nil
	}
	up := c.(*net.TCPConn)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		_ = sockets.Close(up)
		return nil
	}
	l.up = up
	return up
}

func (l *link) upstream() string {
	if l.isProbe() {
		return l.rv.peer
	}
	return l.p.c.Upstream()
}

// Admission is what the first toxic says that doesn't let new connections pass. If
// there is none the link counts as established from here on.
func (l *link) admission() Admission {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.attachments {
		if a := m.x.effect.Admit; a != Admit {
			return a
		}
	}
	l.dialed = true
	return Admit
}

// given up tells whether the link is dropped now that its client ended it: nothing
// of it has reached the upstream, and either it was reset, or a toxic says so.
func (l *link) givenUp(wasReset bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dialed {
		return false
	}
	return wasReset || slices.ContainsFunc(l.attachments, func(m *attachment) bool { return m.x.effect.DropOnClose })
}

// attach puts the link under x; false when it is over.
func (l *link) attach(x *Toxicity) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead || l.attachment(x) != nil {
		return false
	}
	l.attachments = append(l.attachments, newAttachment(x, l))
	return true
}

// attachment finds the meeting with x. The link's lock is held.
func (l *link) attachment(x *Toxicity) *attachment {
	if i := slices.IndexFunc(l.attachments, func(m *attachment) bool { return m.x == x }); i >= 0 {
		return l.attachments[i]
	}
	return nil
}

// met tells whether x has counted the link.
func (l *link) affectedBy(x *Toxicity) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.attachment(x)
	return m != nil && m.affected.Load()
}

// editors lists those that may rewrite a request that comes now.
func (l *link) editors() (all []*Editor) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.attachments {
		if m.edit != nil {
			all = append(all, m.edit)
		}
	}
	return all
}

// install puts the stages of x into the flows.
func (l *link) install(x *Toxicity) {
	l.mu.Lock()
	m := l.attachment(x)
	l.mu.Unlock()
	l.forward.install(newStage(m, Forward))
	l.back.install(newStage(m, Back))
}

// end takes the link from under x. It tells that something was lost there.
func (l *link) detach(x *Toxicity) (lost bool) {
	l.mu.Lock()
	l.attachments = slices.DeleteFunc(l.attachments, func(m *attachment) bool { return m.x == x })
	l.mu.Unlock()
	lostForward, lostBack := l.forward.uninstall(x), l.back.uninstall(x)
	select {
	case l.shift <- struct{}{}:
	default:
	}
	return lostForward || lostBack
}

// holds tells whether something is on its way.
func (l *link) holds() bool { return l.forward.holds() || l.back.holds() }

// finished is called by each flow that passed its stream's end on.
func (l *link) finished() {
	if l.ends.Add(1) == 2 {
		l.shut(false)
	}
}

// shut ends the link at once, with a reset on both sides or by closing them.
func (l *link) shut(hard bool) {
	l.mu.Lock()
	if l.dead {
		l.mu.Unlock()
		return
	}
	l.dead = true
	up := l.up
	l.mu.Unlock()
	l.cancel()
	for _, c := range []*net.TCPConn{l.down, up} {
		if c == nil {
			continue
		}
		if hard {
			_ = sockets.Reset(c)
		} else {
			_ = sockets.Close(c)
		}
	}
	l.forward.die()
	l.back.die()
}
