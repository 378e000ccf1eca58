package dns_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// server is a DNS server with the behaviours that the suite needs, over UDP and TCP at the same port, or over TLS. The
// first label of a name says which; say answers all others.
type server struct {
	scheme string
	addr   string
	// answers a query over udp or tcp by messages in wire format; nil: one record of 192.0.2.1
	say func(q *dns.Msg, over string) [][]byte

	requests, held atomic.Int64
	opened         atomic.Int64
	release        chan struct{}
	once           sync.Once

	mu      sync.Mutex
	marks   []string
	sources map[netip.AddrPort]bool // of datagrams
	over    []string                // the transports of the queries
}

// start starts a server that ends with the test.
func start(t testing.TB, scheme string, say func(q *dns.Msg, over string) [][]byte) *server {
	s := &server{scheme: scheme, say: say, release: make(chan struct{}), sources: map[netip.AddrPort]bool{}}
	l, u := listen(t)
	s.addr = l.Addr().String()
	if scheme == "dns+tls" {
		h := httptest.NewUnstartedServer(nil)
		h.StartTLS()
		defer h.Close()
		l = tls.NewListener(l, &tls.Config{Certificates: h.TLS.Certificates})
	}
	var all sync.WaitGroup
	all.Go(func() { s.datagrams(u, &all) })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.opened.Add(1)
			all.Go(func() {
				defer c.Close()
				s.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_, _ = l.Close(), u.Close()
		s.Release()
		all.Wait()
	})
	return s
}

// listen listens on a port that is free for TCP and for UDP.
func listen(t testing.TB) (net.Listener, *net.UDPConn) {
	for range 20 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		at := l.Addr().(*net.TCPAddr)
		u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: at.IP, Port: at.Port})
		if err == nil {
			return l, u
		}
		_ = l.Close()
	}
	t.Fatal("no port is free for TCP and UDP")
	return nil, nil
}

func (s *server) Base() string { return s.scheme + "://" + s.addr }

func (s *server) Requests() int64 { return s.requests.Load() }

// Connections counts connections, or the sources of datagrams.
func (s *server) Connections() int64 {
	if s.scheme != "dns" {
		return s.opened.Load()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.sources))
}

func (s *server) Held() int64 { return s.held.Load() }

func (s *server) Release() { s.once.Do(func() { close(s.release) }) }

func (s *server) Marks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.marks)
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
			messages, _ := s.answer(query, "udp")
			for _, m := range messages {
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
		messages, end := s.answer(query, "tcp")
		switch end {
		case "reset":
			if t, ok := c.(*net.TCPConn); ok {
				_ = t.SetLinger(0)
			}
			return
		case "cut":
			return
		}
		for _, m := range messages {
			if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...)); err != nil {
				return
			}
		}
	}
}

// slow is how long the answer to slow.test takes.
const slow = 200 * time.Millisecond

func (s *server) answer(query []byte, over string) (messages [][]byte, end string) {
	s.requests.Add(1)
	var q dns.Msg
	if err := q.Unpack(query); err != nil || len(q.Question) != 1 {
		return nil, ""
	}
	labels := dns.SplitDomainName(q.Question[0].Name)
	s.mu.Lock()
	s.over = append(s.over, over)
	if len(labels) > 1 && labels[1] == "mark" {
		s.marks = append(s.marks, labels[0])
		labels[0] = "hold"
	}
	s.mu.Unlock()
	switch labels[0] {
	case "slow":
		time.Sleep(slow) // simulates work
	case "hold":
		s.held.Add(1)
		<-s.release
	case "cut", "reset":
		return nil, labels[0]
	}
	if s.say != nil {
		return s.say(&q, over), ""
	}
	rcode := dns.RcodeSuccess
	if labels[0] == "fail" {
		rcode = dns.RcodeNameError
	}
	return [][]byte{reply(&q, rcode, "192.0.2.1")}, ""
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
