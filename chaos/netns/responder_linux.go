package netns

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"brunt/chaos/netns/nft"
	"brunt/chaos/sockets"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// A responder answers DNS questions in place of the resolver to which they were sent, or forwards
// them to it.
type responder struct {
	spec   Spec
	home   *Namespace // the namespace of the responder
	mark   uint32     // of forwarded questions
	zone   uint16     // the tracking zone of questions
	table  *nft.Table
	doors  []*door
	origin *nft.Conntrack

	packets, hit, bytes atomic.Int64

	once   sync.Once
	closed error
	done   sync.WaitGroup

	mu    sync.Mutex // guards the following fields
	rand  *rand.Rand
	conns map[net.Conn]bool // TCP connections; nil when closed
}

// newResponder opens a responder in the thread's namespace. It does not answer until serve.
func newResponder(s Spec) (*responder, error) {
	r := &responder{
		spec: s, mark: ownMark(), zone: ownZone(), conns: map[net.Conn]bool{},
		rand: rand.New(rand.NewPCG(s.Seed, 0)),
	}
	var err error
	if r.home, err = Open("/proc/thread-self/ns/net"); err != nil {
		return nil, err
	}
	if r.origin, err = nft.NewConntrack(r.zone); err == nil {
		r.doors, err = openDoors(r.mark)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// Via implements [Held].
func (r *responder) Via() string { return "nft" }

// Met implements [Held]. A packet is a question.
func (r *responder) Met() (Met, error) {
	return Met{Packets: r.packets.Load(), Hit: r.hit.Load(), Bytes: r.bytes.Load()}, nil
}

// Close implements [Held].
func (r *responder) Close() error { return r.close() }

func (r *responder) close() error {
	r.once.Do(func() {
		if r.table != nil {
			r.closed = r.table.Close() // from here on no question is redirected to the responder
		}
		for _, d := range r.doors {
			d.close()
		}
		r.mu.Lock()
		for c := range r.conns {
			_ = sockets.Close(c)
		}
		r.conns = nil
		r.mu.Unlock()
		if r.origin != nil {
			r.origin.Close()
		}
		r.done.Wait()
		r.home.Close()
	})
	return r.closed
}

// serve answers until close.
func (r *responder) serve() {
	for _, d := range r.doors {
		if d.tcp != nil {
			r.done.Go(func() { r.accept(d) })
			continue
		}
		p := &pending{asked: map[uint16]question{}}
		r.done.Go(func() { r.listen(d, p) })
		r.done.Go(func() { r.relay(d, p) })
	}
}

// longest is more than the length of any DNS message over UDP.
const longest = 64 << 10

// listen receives questions over UDP.
func (r *responder) listen(d *door, p *pending) {
	b := make([]byte, longest)
	for {
		n, client, err := d.udp.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // the client no longer waits for its answer
		}
		answer, mine := r.answer(b[:n])
		if answer != nil {
			d.udp.WriteToUDPAddrPort(answer, client)
		}
		if mine || n < 2 {
			continue
		}
		to, err := r.origin.Destination(d.proto, client, d.at)
		if err != nil {
			continue // the destination is unknown, and the question is dropped
		}
		p.put(b[:n], question{client: client, to: to, id: binary.BigEndian.Uint16(b)})
		d.ask.WriteToUDPAddrPort(b[:n], to)
	}
}

// relay returns answers over UDP to their clients.
func (r *responder) relay(d *door, p *pending) {
	b := make([]byte, longest)
	for {
		n, from, err := d.ask.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n < 2 {
			continue
		}
		if q, ok := p.take(binary.BigEndian.Uint16(b), from); ok {
			binary.BigEndian.PutUint16(b, q.id)
			d.udp.WriteToUDPAddrPort(b[:n], q.client)
		}
	}
}

// A question is a forwarded question.
type question struct {
	client, to netip.AddrPort
	id         uint16 // the client's
	at         time.Time
}

// pending holds forwarded UDP questions by the ids under which they were forwarded, because two
// clients may use the same id.
type pending struct {
	mu    sync.Mutex
	asked map[uint16]question
	next  uint16
}

// forgotten is the age at which a forwarded question is dropped.
const forgotten = 30 * time.Second

// put stores q and writes its new id into the message. If many consecutive ids are in use, it
// replaces one of the stored questions.
func (p *pending) put(message []byte, q question) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q.at = time.Now()
	for range 100 {
		p.next++
		if old, taken := p.asked[p.next]; !taken || q.at.Sub(old.at) > forgotten {
			break
		}
	}
	p.asked[p.next] = q
	binary.BigEndian.PutUint16(message, p.next)
}

// take removes and returns the question that an answer belongs to.
func (p *pending) take(id uint16, from netip.AddrPort) (question, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q, ok := p.asked[id]
	if !ok || q.to != netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) {
		return question{}, false
	}
	delete(p.asked, id)
	return q, true
}

// accept accepts TCP connections.
func (r *responder) accept(d *door) {
	for {
		c, err := d.tcp.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || !r.keep(c) {
			continue
		}
		r.done.Go(func() {
			defer r.drop(c)
			r.converse(d, c)
		})
	}
}

// keep registers c to be closed by close. If the responder is closed already, it closes c at once.
func (r *responder) keep(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conns == nil {
		_ = sockets.Close(c)
		return false
	}
	r.conns[c] = true
	return true
}

func (r *responder) drop(c net.Conn) {
	_ = sockets.Close(c)
	r.mu.Lock()
	delete(r.conns, c)
	r.mu.Unlock()
}

// converse answers the questions of a connection one by one.
func (r *responder) converse(d *door, c net.Conn) {
	var on net.Conn // to the resolver, opened by the first forwarded question
	for {
		q, err := readMessage(c)
		if err != nil {
			return
		}
		answer, mine := r.answer(q)
		if !mine {
			if on == nil {
				to, err := r.origin.Destination(d.proto, c.RemoteAddr().(*net.TCPAddr).AddrPort(), d.at)
				if err != nil {
					return
				}
				if on, err = r.dial(to); err != nil || !r.keep(on) {
					return
				}
				defer r.drop(on)
			}
			if writeMessage(on, q) != nil {
				return
			}
			if answer, err = readMessage(on); err != nil {
				return
			}
		}
		if answer != nil && writeMessage(c, answer) != nil {
			return
		}
	}
}

// dial connects from the namespace, with the mark that exempts the connection from redirection.
func (r *responder) dial(to netip.AddrPort) (c net.Conn, err error) {
	d := net.Dialer{Timeout: 10 * time.Second, Control: func(_, _ string, raw syscall.RawConn) error {
		var set error
		err := raw.Control(func(fd uintptr) {
			set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(r.mark))
		})
		return errors.Join(err, set)
	}}
	err = r.home.Do(func() error {
		c, err = d.Dial("tcp", to.String())
		return err
	})
	return c, err
}

// readMessage reads a TCP message, which is preceded by its length.
func readMessage(c io.Reader) ([]byte, error) {
	var n [2]byte
	if _, err := io.ReadFull(c, n[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(n[:]))
	_, err := io.ReadFull(c, b)
	return b, err
}

func writeMessage(c io.Writer, m []byte) error {
	_, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...))
	return err
}

// answer reports whether the question is affected, and returns its answer, if any.
func (r *responder) answer(b []byte) (answer []byte, mine bool) {
	r.packets.Add(1)
	r.bytes.Add(int64(len(b)))
	var q dns.Msg
	if q.Unpack(b) != nil || len(q.Question) != 1 || q.Response || !r.meant(q.Question[0].Name) {
		return nil, false
	}
	r.hit.Add(1)
	a := new(dns.Msg)
	switch r.spec.Do {
	case DNSMute:
		return nil, true
	case DNSFail:
		a.SetRcode(&q, rcode(r.spec.RCode))
	case DNSSpoof:
		a.SetReply(&q)
		for _, addr := range r.spec.Answers {
			// The TTL is 0, so that no cache keeps the answer longer than the fault.
			h := dns.RR_Header{Name: q.Question[0].Name, Class: dns.ClassINET}
			switch kind := q.Question[0].Qtype; {
			case addr.Is4() && kind == dns.TypeA:
				h.Rrtype = dns.TypeA
				a.Answer = append(a.Answer, &dns.A{Hdr: h, A: addr.AsSlice()})
			case addr.Is6() && kind == dns.TypeAAAA:
				h.Rrtype = dns.TypeAAAA
				a.Answer = append(a.Answer, &dns.AAAA{Hdr: h, AAAA: addr.AsSlice()})
			}
		}
	}
	a.RecursionAvailable = true
	if o := q.IsEdns0(); o != nil {
		a.SetEdns0(o.UDPSize(), o.Do())
	}
	packed, err := a.Pack()
	if err != nil {
		return nil, true
	}
	return packed, true
}

// meant reports whether a name is affected by the fault and its share.
func (r *responder) meant(name string) bool {
	if !named(r.spec.Names, name) {
		return false
	}
	if r.spec.Share == 0 || r.spec.Share == 1 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rand.Float64() < r.spec.Share
}

// named reports whether name matches one of names. An empty list matches every name.
func named(names []string, name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, n := range names {
		n = strings.ToLower(strings.TrimSuffix(n, "."))
		if below, all := strings.CutPrefix(n, "*"); name == n || all && strings.HasSuffix(name, below) {
			return true
		}
	}
	return len(names) == 0
}

func rcode(name string) int {
	if name == "" {
		return dns.RcodeServerFailure
	}
	return dns.StringToRcode[name]
}
