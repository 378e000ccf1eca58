package proxy

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Admission says what happens to a new connection.
type Admission uint8

const (
	Admit Admission = iota // forwarded at once
	Wait                   // until the toxic is removed; then the proxy connects to the upstream
	Deny                   // reset at once
)

// dialFor is the timeout of connecting to the upstream.
const dialFor = 10 * time.Second

// A link is one client connection and its connection to the upstream.
type link struct {
	p       *Proxy
	n       uint64
	rv      *rendezvous // of a probe
	ctx     context.Context
	cancel  context.CancelFunc
	down    *net.TCPConn
	forward *flow
	back    *flow
	http    *exchange // nil if the link is not parsed

	wg    sync.WaitGroup // the flows' goroutines
	ends  atomic.Int32   // flows that have ended
	done  chan struct{}  // closed when the link has ended
	shift chan struct{}  // wakes the wait for admission

	mu          sync.Mutex
	attachments []*attachment // the toxics on the link, in order
	up          *net.TCPConn
	dialed      bool // or about to be
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

// run carries the connection until both flows have ended or it was cut.
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
	l.shut(true) // no effect unless data was lost
	if l.http != nil {
		l.http.end()
	}
}

// connect waits until the link is admitted, and connects to the upstream. It returns nil if the
// link has ended.
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
	err := l.p.c.InNamespace(func() (err error) {
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
		_ = CloseSocket(up)
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

// admission returns the decision of the first toxic that does not admit new connections. If there
// is none, the link counts as established from now on.
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

// givenUp reports whether the link is dropped when its client ends it: none of its data has reached the upstream, and
// either the client reset it or a toxic requires the drop.
func (l *link) givenUp(wasReset bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dialed {
		return false
	}
	return wasReset || slices.ContainsFunc(l.attachments, func(m *attachment) bool { return m.x.effect.DropOnClose })
}

// attach puts the link under x. It returns false if the link has ended.
func (l *link) attach(x *toxicity) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead || l.attachment(x) != nil {
		return false
	}
	l.attachments = append(l.attachments, newAttachment(x, l))
	return true
}

// attachment returns the attachment to x. The link's lock is held.
func (l *link) attachment(x *toxicity) *attachment {
	if i := slices.IndexFunc(l.attachments, func(m *attachment) bool { return m.x == x }); i >= 0 {
		return l.attachments[i]
	}
	return nil
}

// affectedBy reports whether x has counted the link.
func (l *link) affectedBy(x *toxicity) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.attachment(x)
	return m != nil && m.affected.Load()
}

// editors returns the editors that may rewrite a request that arrives now.
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

// streamEffects returns the effects of toxics on a request of HTTP/2 that arrives now.
func (l *link) streamEffects() (all []*StreamEffect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.attachments {
		if m.streams != nil {
			all = append(all, m.streams)
		}
	}
	return all
}

// install adds the stages of x to the flows.
func (l *link) install(x *toxicity) {
	l.mu.Lock()
	m := l.attachment(x)
	l.mu.Unlock()
	l.forward.install(newStage(m, Forward))
	l.back.install(newStage(m, Back))
}

// detach removes the link from x. It reports whether data was lost there.
func (l *link) detach(x *toxicity) (lost bool) {
	l.mu.Lock()
	l.attachments = slices.DeleteFunc(l.attachments, func(m *attachment) bool { return m.x == x })
	l.mu.Unlock()
	if l.http != nil {
		l.http.lift(x)
	}
	lostForward, lostBack := l.forward.uninstall(x), l.back.uninstall(x)
	select {
	case l.shift <- struct{}{}:
	default:
	}
	return lostForward || lostBack
}

// holds reports whether the link holds data.
func (l *link) holds() bool { return l.forward.holds() || l.back.holds() }

// finished is called by each flow after it has forwarded its stream's end.
func (l *link) finished() {
	if l.ends.Add(1) == 2 {
		l.shut(false)
	}
}

// shut ends the link at once, with a reset on both sides if hard is set, and a close otherwise.
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
	// Subtle: the flows die before their sockets end. Otherwise a goroutine of a flow that sees the end of its socket
	// tries to forward it until the flow is dead, and keeps a processor and the flow's lock from this one.
	l.forward.die()
	l.back.die()
	for _, c := range []*net.TCPConn{l.down, up} {
		if c == nil {
			continue
		}
		if hard {
			_ = resetSocket(c)
		} else {
			_ = CloseSocket(c)
		}
	}
}
