package targetstest

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Names is a name server on loopback. A test may change its records at any time.
type Names struct {
	Addr string // host:port, over UDP and TCP

	mu    sync.Mutex
	known map[string]record
	asked int
}

type record struct {
	ttl   uint32
	addrs []netip.Addr
	large bool
}

// NewNames starts a name server that ends with the test.
func NewNames(t testing.TB) *Names {
	t.Helper()
	s := &Names{known: map[string]record{}}
	var all sync.WaitGroup
	u, l := onePort(t)
	s.Addr = u.LocalAddr().String()
	all.Go(func() {
		b := make([]byte, 1500)
		for {
			n, from, err := u.ReadFrom(b)
			if err != nil {
				return
			}
			if out := s.answer(b[:n], false); out != nil {
				_, _ = u.WriteTo(out, from)
			}
		}
	})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.stream(c) })
		}
	})
	t.Cleanup(func() {
		_ = u.Close()
		_ = l.Close()
		all.Wait()
	})
	return s
}

// onePort listens over UDP and TCP on the same port.
func onePort(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	const tries = 20 // the port may be taken for TCP
	for try := 1; ; try++ {
		u, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp4", u.LocalAddr().String())
		if err == nil {
			return u, l
		}
		_ = u.Close()
		if try == tries {
			t.Fatal(err)
		}
	}
}

// stream answers one question over TCP.
func (s *Names) stream(c net.Conn) {
	defer c.Close()
	var length [2]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return
	}
	b := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(c, b); err != nil {
		return
	}
	out := s.answer(b, true)
	_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...))
}

// Set gives a name addresses with a TTL of ttl seconds.
func (s *Names) Set(name string, ttl uint32, addrs ...string) { s.set(name, ttl, false, addrs) }

// SetLarge is like Set, but the answer is sent over TCP only.
func (s *Names) SetLarge(name string, ttl uint32, addrs ...string) { s.set(name, ttl, true, addrs) }

func (s *Names) set(name string, ttl uint32, large bool, addrs []string) {
	r := record{ttl: ttl, large: large}
	for _, a := range addrs {
		r.addrs = append(r.addrs, netip.MustParseAddr(a))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[name+"."] = r
}

// Asked returns the number of queries for an IPv4 address.
func (s *Names) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *Names) answer(question []byte, tcp bool) []byte {
	var p dnsmessage.Parser
	h, err := p.Start(question)
	if err != nil {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.Type == dnsmessage.TypeA {
		s.asked++
	}
	r, known := s.known[strings.ToLower(q.Name.String())]
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: h.ID, Response: true, Authoritative: true, RecursionAvailable: true},
		Questions: []dnsmessage.Question{q},
	}
	switch {
	case !known:
		m.RCode = dnsmessage.RCodeNameError
	case r.large && !tcp:
		m.Truncated = true
	default:
		for _, a := range r.addrs {
			head := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: r.ttl}
			switch {
			case q.Type == dnsmessage.TypeA && a.Is4():
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
			case q.Type == dnsmessage.TypeAAAA && a.Is6():
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
			}
		}
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	return out
}
