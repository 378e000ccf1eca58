package dial

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/targets"

	"golang.org/x/net/dns/dnsmessage"
)

// ParseNameServer reads the address of a name server; the default port is 53.
func ParseNameServer(s string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, 53), nil
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil || ap.Port() == 0 {
		return netip.AddrPort{}, errors.New("want the address of a name server, such as 127.0.0.1:5353")
	}
	return ap, nil
}

// nameServer is the server that resolves names: the scenario's, or the system's.
type nameServer struct {
	addr  netip.AddrPort // invalid means the system's
	allow targets.Allowlist
}

// ask implements asker. The standard library's resolver sends the queries, and uses the hosts file and the search
// list, but does not report the TTL of an answer. So ask reads the TTL from the messages as they pass.
func (s nameServer) ask(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
	own := s.addr.IsValid()
	if own {
		if err := targets.CheckAddr(s.allow, s.addr.String(), ""); err != nil {
			return nil, 0, err
		}
	}
	heard := &ttls{least: -1}
	r := net.Resolver{PreferGo: own, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if own {
			address = s.addr.String()
		}
		var d net.Dialer
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if u, ok := c.(*net.UDPConn); ok { // subtle: the resolver chooses the message format by the type of the connection
			return &overheardPackets{u, heard}, nil
		}
		return &overheardStream{Conn: c, heard: heard}, nil
	}}
	addrs, err := r.LookupNetIP(ctx, "ip", host)
	if wrong, ok := errors.AsType[*net.DNSError](err); ok && own {
		wrong.Server = s.addr.String()
	}
	return addrs, heard.get(), err
}

// ttls holds the least TTL of the answers to a question.
type ttls struct {
	mu    sync.Mutex
	least time.Duration // negative: not known
}

func (t *ttls) get() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.least
}

// hear reads a message. It ignores a message that is not an answer or has no records.
func (t *ttls) hear(message []byte) {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil || !h.Response || h.RCode != dnsmessage.RCodeSuccess || p.SkipAllQuestions() != nil {
		return
	}
	for {
		a, err := p.AnswerHeader()
		if err != nil {
			return
		}
		t.mu.Lock()
		if ttl := time.Duration(a.TTL) * time.Second; t.least < 0 || ttl < t.least {
			t.least = ttl
		}
		t.mu.Unlock()
		if p.SkipAnswer() != nil {
			return
		}
	}
}

// overheardPackets is a connection on which each read returns one message.
type overheardPackets struct {
	*net.UDPConn
	heard *ttls
}

func (o *overheardPackets) Read(b []byte) (n int, err error) {
	defer scenarios.Recover(&err) // a goroutine of the library reads
	n, err = o.UDPConn.Read(b)
	o.heard.hear(b[:n])
	return n, err
}

// overheardStream is a connection on which two bytes with its length precede each message.
type overheardStream struct {
	net.Conn
	heard *ttls
	got   []byte
}

func (o *overheardStream) Read(b []byte) (n int, err error) {
	defer scenarios.Recover(&err) // as above
	n, err = o.Conn.Read(b)
	o.got = append(o.got, b[:n]...)
	for len(o.got) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(o.got))
		if len(o.got) < end {
			break
		}
		o.heard.hear(o.got[2:end])
		o.got = o.got[end:]
	}
	return n, err
}
