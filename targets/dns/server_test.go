package dns_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/targets/targetstest"

	"github.com/miekg/dns"
)

// server is a DNS server with the behaviours that the suite needs, over UDP and TCP at the same port, or over TLS. The
// first label of a name says which; say answers all others.
type server struct {
	*targetstest.Backend
	scheme, addr string
	// answers a query over udp or tcp by messages in wire format; nil: one record of 192.0.2.1
	say func(q *dns.Msg, over string) [][]byte

	mu      sync.Mutex
	sources map[netip.AddrPort]bool // of datagrams
	over    []string                // the transports of the queries
}

// start starts a server that ends with the test.
func start(t testing.TB, scheme string, say func(q *dns.Msg, over string) [][]byte) *server {
	s := &server{scheme: scheme, say: say, sources: map[netip.AddrPort]bool{}}
	u := s.listen(t)
	s.addr = s.Addr().String()
	if scheme == "dns+tls" {
		s.Listener = tls.NewListener(s.Listener, targetstest.Certificate())
	}
	s.Serve(t, s.serve)
	var all sync.WaitGroup
	all.Go(func() { s.datagrams(u, &all) })
	t.Cleanup(func() {
		_ = u.Close()
		s.Release()
		all.Wait()
	})
	return s
}

// listen listens on a port that is free for TCP and for UDP.
func (s *server) listen(t testing.TB) *net.UDPConn {
	for range 20 {
		s.Backend = targetstest.Listen(t)
		at := s.Addr().(*net.TCPAddr)
		u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: at.IP, Port: at.Port})
		if err == nil {
			return u
		}
		_ = s.Close()
	}
	t.Fatal("no port is free for TCP and UDP")
	return nil
}

func (s *server) Base() string { return s.scheme + "://" + s.addr }

// Connections counts connections, or the sources of datagrams.
func (s *server) Connections() int64 {
	if s.scheme != "dns" {
		return s.Backend.Connections()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.sources))
}

// transports returns the transports of the queries so far.
func (s *server) transports() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.over, " ")
}

func (s *server) datagrams(u *net.UDPConn, all *sync.WaitGroup) {
	b := make([]byte, 64<<10)
	for {
		n, from, err := u.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.sources[from] = true
		s.mu.Unlock()
		query := slices.Clone(b[:n])
		all.Go(func() {
			for _, m := range s.answer(nil, query) {
				_, _ = u.WriteToUDPAddrPort(m, from)
			}
		})
	}
}

func (s *server) serve(c net.Conn) {
	for in := bufio.NewReader(c); ; {
		var length [2]byte
		if _, err := io.ReadFull(in, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(in, query); err != nil {
			return
		}
		messages := s.answer(c, query)
		if messages == nil {
			return
		}
		for _, m := range messages {
			if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...)); err != nil {
				return
			}
		}
	}
}

// answer answers a query on a connection, or in a datagram if c is nil. Without messages the connection ends.
func (s *server) answer(c net.Conn, query []byte) [][]byte {
	var q dns.Msg
	if err := q.Unpack(query); err != nil || len(q.Question) != 1 {
		return nil
	}
	over := "tcp"
	if c == nil {
		over = "udp"
	}
	s.mu.Lock()
	s.over = append(s.over, over)
	s.mu.Unlock()
	labels := append(dns.SplitDomainName(q.Question[0].Name), "")
	name, mark := labels[0], ""
	switch {
	case labels[1] == "mark":
		name, mark = "hold", labels[0]
	case name == "reset" && c == nil: // a datagram that is lost
		name = "cut"
	}
	switch {
	case !s.Behave(c, name, mark):
		return nil
	case s.say != nil:
		return s.say(&q, over)
	case name == "fail":
		return [][]byte{reply(&q, dns.RcodeNameError)}
	}
	return [][]byte{reply(&q, dns.RcodeSuccess, "192.0.2.1")}
}

// reply returns an answer to a query with records of addresses.
func reply(q *dns.Msg, rcode int, addresses ...string) []byte {
	m := new(dns.Msg).SetRcode(q, rcode)
	if rcode == dns.RcodeSuccess {
		for _, a := range addresses {
			m.Answer = append(m.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60},
				A:   net.ParseIP(a),
			})
		}
	}
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}
