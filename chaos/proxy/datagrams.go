package proxy

import (
	"bytes"
	"container/heap"
	"container/list"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"brunt/chaos/seed"
)

// A DatagramEffect is the effect of a toxic on the datagrams of one direction. It is called for each datagram, in the
// order of their arrival, with the time at which the datagram reaches the toxic. It calls pass for each datagram that
// goes on, with the time at which that one leaves the toxic, and reports whether the toxic did something to it.
type DatagramEffect func(b []byte, at time.Time, pass func(b []byte, at time.Time)) (hit bool)

// A relay passes datagrams between clients and the upstream of a proxy. Each client has an association: a socket of
// its own to the upstream, so that answers find their way back.
//
//	client --in--> association --toxics--> departures --> upstream
//	       <------ departures <--toxics-- association <--
//
// Random choices depend on the seed and on the numbers of the datagrams, so a seed determines the share that is hit.
type relay struct {
	p    *Proxy
	in   *net.UDPConn
	over overruns // of in

	wake chan struct{}
	wg   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	flows  map[netip.AddrPort]*association
	order  list.List                       // of flows, the most recently used first
	probes map[netip.AddrPort]*association // of probes: their associations, by the probe's address
	held   departures
	size   int // bytes of held
	failed unrelayed

	most   int           // flows
	unused time.Duration // after which a flow ends
}

// An association is the path of one client's datagrams.
type association struct {
	from  netip.AddrPort
	up    *net.UDPConn
	raw   syscall.RawConn // of up
	over  overruns        // of up
	kind  int             // 1 for a probe, 0 for traffic
	used  time.Time       // when the last datagram passes
	place *list.Element   // in the order of flows
	hits  atomic.Int64    // datagrams that toxics hit
}

const (
	unusedFor = 60 * time.Second // after which an association ends
	mostFlows = 4096             // associations of clients: a new one ends the least recently used
	mostHeld  = 16 << 20         // bytes that wait to leave; more are lost
	largest   = 64 << 10         // size of a datagram
	kernel    = 4 << 20          // bytes that may wait in the system for each socket, if the system allows it
)

// overruns counts the datagrams that the system dropped because brunt had not read a socket in time. Only Linux tells
// that.
type overruns struct {
	raw  syscall.RawConn
	read func(fd uintptr)
	all  uint32 // so far
	said uint32
}

func (o *overruns) watch(c *net.UDPConn, raw syscall.RawConn) {
	_ = c.SetReadBuffer(kernel)
	o.raw, o.read = raw, func(fd uintptr) { o.all = dropped(fd) }
}

// more returns how many were dropped since the last call.
func (o *overruns) more() int64 {
	_ = o.raw.Control(o.read)
	n := o.all - o.said // the system's count may wrap
	o.said = o.all
	return int64(n)
}

// datagramBuffers are for the largest datagram each.
var datagramBuffers = sync.Pool{New: func() any { b := make([]byte, largest); return &b }}

// unrelayed is the failure of a relay to pass datagrams on, which no fault asked for.
type unrelayed struct {
	n   atomic.Int64
	why error // of the first
}

func (u *unrelayed) Error() string {
	return fmt.Sprintf("brunt's own relay lost datagrams, %d in all: %v", u.n.Load(), u.why)
}

func (u *unrelayed) Unwrap() error { return u.why }

// fail notes that the relay could not pass on n datagrams of traffic. The lock is held.
func (r *relay) fail(n int64, why error) {
	if r.closed {
		return
	}
	if r.failed.n.Add(n) == n {
		r.failed.why = why
	}
	r.p.noteBroken(&r.failed)
}

// overran notes what the system dropped at a socket.
func (r *relay) overran(o *overruns) {
	if n := o.more(); n > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.fail(n, errOverrun)
	}
}

// The reasons of a relay's failures.
var (
	errMostHeld  = fmt.Errorf("more than %d MiB wait to leave", mostHeld>>20)
	errOverrun   = errors.New("the system's buffer of a socket was full")
	errMostFlows = fmt.Errorf("more than %d clients' ports are in use at once", mostFlows)
)

// A departure is a datagram that leaves later.
type departure struct {
	at  time.Time
	n   uint64 // order of departures at the same time
	a   *association
	dir Direction
	b   []byte
	by  *toxicity // the last toxic that delayed it
}

// departures is a heap of datagrams, the next one first.
type departures struct {
	list []departure
	n    uint64
}

func (d *departures) Len() int { return len(d.list) }
func (d *departures) Less(i, j int) bool {
	a, b := &d.list[i], &d.list[j]
	return a.at.Before(b.at) || a.at.Equal(b.at) && a.n < b.n
}
func (d *departures) Swap(i, j int) { d.list[i], d.list[j] = d.list[j], d.list[i] }
func (d *departures) Push(x any)    { d.list = append(d.list, x.(departure)) }
func (d *departures) Pop() any {
	last := d.list[len(d.list)-1]
	d.list[len(d.list)-1] = departure{}
	d.list = d.list[:len(d.list)-1]
	return last
}

// startRelay listens for datagrams at the port of the proxy's listener.
func startRelay(p *Proxy) (*relay, error) {
	at := p.listener.Addr()
	in, err := net.ListenUDP("udp", &net.UDPAddr{IP: at.IP, Port: at.Port, Zone: at.Zone})
	if err != nil {
		return nil, err
	}
	r := &relay{
		p: p, in: in, wake: make(chan struct{}, 1), flows: map[netip.AddrPort]*association{},
		probes: map[netip.AddrPort]*association{}, most: mostFlows, unused: unusedFor,
	}
	raw, err := in.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	r.over.watch(in, raw)
	r.wg.Go(r.receive)
	r.wg.Go(r.depart)
	return r, nil
}

// close ends the relay. Datagrams that wait are lost.
func (r *relay) close() error {
	r.mu.Lock()
	r.closed = true
	err := r.in.Close()
	for _, a := range r.flows {
		_ = a.up.Close()
	}
	for _, a := range r.probes {
		_ = a.up.Close()
	}
	r.mu.Unlock()
	r.wg.Wait()
	return err
}

// receive passes the datagrams of clients on.
func (r *relay) receive() {
	for b := make([]byte, largest); ; {
		n, from, err := r.in.ReadFromUDPAddrPort(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // an earlier answer was refused by its client
			continue
		}
		r.overran(&r.over)
		if a := r.association(from); a != nil {
			r.pass(a, Forward, b[:n])
		}
	}
}

// association returns the association of a client, which begins with its first datagram. It is nil if the upstream
// can't be reached.
func (r *relay) association(from netip.AddrPort) *association {
	r.mu.Lock()
	defer r.mu.Unlock()
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if a := r.probes[from]; a != nil {
		return a
	}
	if a := r.flows[from]; a != nil || r.closed {
		if a != nil {
			r.use(a, time.Now())
		}
		return a
	}
	if len(r.flows) >= r.most {
		r.drop(r.order.Back().Value.(*association))
	}
	a, err := r.associate(from, r.p.c.Upstream(), 0)
	if err != nil {
		if !errors.Is(err, syscall.ENETUNREACH) && !errors.Is(err, syscall.EHOSTUNREACH) { // as in a network
			r.fail(1, err)
		}
		return nil
	}
	r.flows[from], a.place = a, r.order.PushFront(a)
	r.p.stats.connections.Add(1)
	return a
}

// use notes that a datagram of an association passes. The lock is held.
func (r *relay) use(a *association, at time.Time) {
	if at.After(a.used) {
		a.used = at
	}
	if a.place != nil {
		r.order.MoveToFront(a.place)
	}
}

// drop ends the association of a client. Answers that come later are lost. The lock is held.
func (r *relay) drop(a *association) {
	_ = a.up.Close()
	delete(r.flows, a.from)
	r.order.Remove(a.place)
}

// associate makes an association and passes its answers on. The lock is held.
func (r *relay) associate(from netip.AddrPort, upstream string, kind int) (*association, error) {
	d := net.Dialer{Control: r.p.c.Control}
	c, err := d.DialContext(r.p.ctx, "udp", upstream)
	if err != nil {
		return nil, err
	}
	a := &association{from: from, up: c.(*net.UDPConn), kind: kind, used: time.Now()}
	if a.raw, err = a.up.SyscallConn(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	a.over.watch(a.up, a.raw)
	r.wg.Go(func() {
		for {
			b, n, err := a.receive()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil { // otherwise nothing listens there: to the client it is silence
				if kind == 0 {
					r.overran(&a.over)
				}
				r.pass(a, Back, (*b)[:n])
				datagramBuffers.Put(b)
			}
		}
	})
	return a, nil
}

// pass passes a datagram through the toxics.
func (r *relay) pass(a *association, dir Direction, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.use(a, now)
	r.p.mu.Lock()
	all := r.p.toxics // the list is never changed in place
	r.p.mu.Unlock()
	r.through(all, a, dir, b, now, now, nil)
}

// through passes a datagram through the rest of the toxics, and then on. By is the last toxic that delayed it.
func (r *relay) through(rest []*toxicity, a *association, dir Direction, b []byte, at, now time.Time, by *toxicity) {
	for len(rest) > 0 {
		x := rest[0]
		rest = rest[1:]
		effect := x.onDatagrams(a.kind, dir)
		if effect == nil {
			continue
		}
		hit := effect(b, at, func(b []byte, then time.Time) {
			by := by
			if then.After(at) {
				by = x
			}
			r.through(rest, a, dir, b, then, now, by)
		})
		switch {
		case a.kind == 1:
			if hit {
				a.hits.Add(1)
			}
		case hit:
			x.seen.hit.Add(1)
			x.seen.bytes(dir, len(b))
		default:
			x.seen.passed.Add(1)
			if !x.effect.CountsItself {
				x.seen.bytes(dir, len(b))
			}
		}
		return
	}
	if !at.After(now) {
		r.send(a, dir, b)
		return
	}
	if r.size+len(b) > mostHeld {
		if a.kind == 0 {
			r.fail(1, errMostHeld)
		}
		return
	}
	r.use(a, at)
	r.size += len(b)
	r.held.n++
	heap.Push(&r.held, departure{at: at, n: r.held.n, a: a, dir: dir, b: bytes.Clone(b), by: by})
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// send sends a datagram. As in a network, a failure is the loss of the datagram. The loss is the relay's own if it has
// dropped the association meanwhile. The lock is held.
func (r *relay) send(a *association, dir Direction, b []byte) {
	var err error
	if dir == Forward {
		_, err = a.up.Write(b)
	} else {
		_, err = r.in.WriteToUDPAddrPort(b, a.from)
	}
	switch {
	case a.kind == 1:
	case err == nil:
		r.p.stats.bytes(dir, len(b))
	case errors.Is(err, net.ErrClosed):
		r.fail(1, errMostFlows)
	}
}

// depart sends the datagrams that are due, and ends associations that are not used any more.
func (r *relay) depart() {
	timer := time.NewTimer(unusedFor)
	defer timer.Stop()
	for {
		timer.Reset(r.due(time.Now()))
		select {
		case <-timer.C:
		case <-r.wake:
		case <-r.p.ctx.Done():
			return
		}
	}
}

// due sends what is due now, and returns the time until there is more to do.
func (r *relay) due(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.held.Len() > 0 && !r.held.list[0].at.After(now) {
		d := heap.Pop(&r.held).(departure)
		r.size -= len(d.b)
		r.send(d.a, d.dir, d.b)
	}
	wait := r.unused
	for r.order.Len() > 0 {
		a := r.order.Back().Value.(*association)
		if left := a.used.Add(r.unused).Sub(now); left > 0 {
			wait = min(wait, left)
			break
		}
		r.drop(a)
	}
	if r.held.Len() > 0 {
		wait = min(wait, r.held.list[0].at.Sub(now))
	}
	return wait
}

// release sends the datagrams at once that wait because of a toxic.
func (r *relay) release(x *toxicity) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for i := range r.held.list {
		if d := &r.held.list[i]; d.by == x {
			d.at, d.a.used = now, now
		}
	}
	heap.Init(&r.held)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// onDatagrams returns the effect on the datagrams of traffic or of probes in one direction. The relay's lock is held.
func (t *toxicity) onDatagrams(kind int, dir Direction) DatagramEffect {
	if t.effect.Datagrams == nil || t.off.Load() {
		return nil
	}
	line := &t.lines[kind][dir-1]
	if !line.made {
		line.made = true
		line.effect = t.effect.Datagrams(Point{
			Seed:      seed.Mix(t.p.c.Seed, t.n, uint64(kind), uint64(dir)),
			Direction: dir, Probe: kind == 1,
		})
	}
	return line.effect
}

// A datagramLine is the effect of a toxic on one direction.
type datagramLine struct {
	made   bool
	effect DatagramEffect
}

// Datagrams is what a probe by datagrams found: those that it sent come back as they are.
type Datagrams struct {
	Sent, Came int
	Twice      int             // copies beyond the first
	Late       int             // that came after a later one
	Damaged    int             // with other bytes than those sent
	Bytes      int64           // of all that came, headers included
	Times      []time.Duration // of the round trips, sorted
	Span       time.Duration   // from the first that came to the last
	Hit        int64           // that toxics did something to
}

// headers is the size of the headers of IPv4 and UDP.
const headers = 28

// probeDatagrams sends datagrams through the relay to an echo, and waits for what comes back.
func (p *Proxy) probeDatagrams(ctx context.Context, q ProbeRequest) (Datagrams, error) {
	d := Datagrams{Sent: max(1, q.N)}
	to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}
	echo, err := net.ListenUDP("udp4", to)
	if err != nil {
		return d, err
	}
	var all sync.WaitGroup
	defer all.Wait()
	defer echo.Close()
	all.Go(func() {
		for b := make([]byte, largest); ; {
			n, from, err := echo.ReadFromUDPAddrPort(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_, _ = echo.WriteToUDPAddrPort(b[:n], from)
			}
		}
	})
	at := net.UDPAddr{IP: p.listener.Addr().IP, Port: p.listener.Addr().Port}
	if at.IP.IsUnspecified() {
		at.IP = net.IPv4(127, 0, 0, 1)
	}
	c, err := net.DialUDP("udp", nil, &at)
	if err != nil {
		return d, err
	}
	defer c.Close()
	from := c.LocalAddr().(*net.UDPAddr).AddrPort()
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	r := p.relay
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return d, errClosed
	}
	a, err := r.associate(from, echo.LocalAddr().String(), 1)
	if err == nil {
		r.probes[from] = a
	}
	r.mu.Unlock()
	if err != nil {
		return d, err
	}
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		_ = a.up.Close()
		delete(r.probes, from)
	}()
	if err := d.exchange(ctx, c, max(q.Size, 16), q.Wait); err != nil {
		return d, err
	}
	d.Hit = a.hits.Load()
	return d, nil
}

const (
	atOnce   = 16                    // datagrams that are sent in a millisecond: more would overrun the system's buffers
	settling = 20 * time.Millisecond // after everything came, for copies
)

// exchange sends the datagrams, and counts what comes back until nothing more is expected.
func (d *Datagrams) exchange(ctx context.Context, c *net.UDPConn, size int, wait time.Duration) error {
	defer context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(past) })()
	var mu sync.Mutex
	began := make([]time.Time, d.Sent)
	var all sync.WaitGroup
	defer all.Wait()
	done := make(chan struct{})
	defer close(done)
	all.Go(func() {
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for i := range d.Sent {
			mu.Lock()
			began[i] = time.Now()
			mu.Unlock()
			_, _ = c.Write(pattern(i, size))
			if i%atOnce != atOnce-1 {
				continue
			}
			select {
			case <-pace.C:
			case <-done:
				return
			}
		}
		_ = c.SetReadDeadline(time.Now().Add(wait))
		if ctx.Err() != nil {
			_ = c.SetReadDeadline(past)
		}
	})
	came := make([]bool, d.Sent)
	last, first, latest := -1, time.Time{}, time.Time{}
	for b := make([]byte, largest); ; {
		n, err := c.Read(b)
		if err != nil {
			break // the time is over
		}
		now := time.Now()
		if d.Bytes += int64(n + headers); first.IsZero() {
			first = now
		}
		latest = now
		i := d.Sent
		if n >= 8 {
			i = int(binary.BigEndian.Uint64(b) & 0xffffffff)
		}
		switch {
		case i >= d.Sent || !bytes.Equal(b[:n], pattern(i, size)):
			d.Damaged++
			continue
		case came[i]:
			d.Twice++
			continue
		case i < last:
			d.Late++
		}
		last = max(last, i)
		came[i] = true
		d.Came++
		mu.Lock()
		d.Times = append(d.Times, now.Sub(began[i]))
		mu.Unlock()
		if d.Came == d.Sent && ctx.Err() == nil {
			_ = c.SetReadDeadline(now.Add(settling))
		}
	}
	slices.Sort(d.Times)
	d.Span = latest.Sub(first)
	return nil
}

// pattern is the content of the i-th datagram.
func pattern(i, size int) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint64(b, uint64(i))
	for k := 8; k < size; k++ {
		b[k] = byte(i + k)
	}
	return b
}

// errNoDatagrams says that a probe by datagrams needs a relay.
var errNoDatagrams = fmt.Errorf("the proxy was not started for datagrams (Config.Datagrams)")
