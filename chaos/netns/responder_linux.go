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

// A responder answers questions of DNS in place of the resolver that they were sent to,
// or asks there.
type responder struct {
	spec   Spec
	home   *Namespace // where it is
	mark   uint32     // of what it asks itself
	zone   uint16     // that questions are tracked in
	table  *nft.Table
	doors  []*door
	origin *nft.Conntrack

	packets, hit, bytes atomic.Int64

	once   sync.Once
	closed error
	done   sync.WaitGroup

	mu    sync.Mutex // guards what follows
	rand  *rand.Rand
	conns map[net.Conn]bool // of TCP, nil when closed
}

// newResponder opens a responder in the namespace that the thread is in. It does not
// answer yet.
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
			r.closed = r.table.Close() // from here on nobody is sent to the responder
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

// longest is more than any message of DNS over UDP has.
const longest = 64 << 10

// listen takes questions of UDP.
func (r *responder) listen(d *door, p *pending) {
	b := make([]byte, longest)
	for {
		n, client, err := d.udp.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // a client that did not wait for its answer
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
			continue // it is gone, and its sender waits for nothing
		}
		p.put(b[:n], question{client: client, to: to, id: binary.BigEndian.Uint16(b)})
		d.ask.WriteToUDPAddrPort(b[:n], to)
	}
}

// relay hands answers of UDP back.
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

// A question is one that was asked on.
type question struct {
	client, to netip.AddrPort
	id         uint16 // the client's
	at         time.Time
}

// pending are the questions of UDP that wait for an answer, by the numbers that they
// were asked on under: those of two clients may be the same.
type pending struct {
	mu    sync.Mutex
	asked map[uint16]question
	next  uint16
}

// forgotten is after how long nobody waits for an answer any more.
const forgotten = 30 * time.Second

// put keeps q and writes its number into the message. Where many in a row are taken, one
// of them is given up.
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

// take gives back the question that an answer is to.
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

// accept takes connections of TCP.
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

// keep has c closed by close. It is closed at once if that was before.
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

// converse answers the questions of a connection, one after the other.
func (r *responder) converse(d *door, c net.Conn) {
	var on net.Conn // to the resolver, when there was a question for it
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

// dial connects from inside the namespace, with the mark that lets it through.
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

// A message of TCP has its length before it.
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

// answer tells whether the question is one to be hit, and the answer that it gets, if it
// gets one.
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
			// For no time: it is not to be kept longer than the fault.
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

// meant tells whether a name is one of the fault's, and whether the dice say so.
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

// named tells whether name is one of names, of which there may be none: that is all.
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
