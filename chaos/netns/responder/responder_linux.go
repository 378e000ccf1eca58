package responder

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"brunt/chaos/netns/kernel"
	"brunt/chaos/netns/nft"
	"brunt/chaos/sockets"

	"github.com/miekg/dns"
)

// A Config selects queries and says how they are answered.
type Config struct {
	Names     []string       // of affected queries; *.example.com is all below it; empty is all
	Share     float64        // of these queries that are affected, (0, 1]; zero is all
	Seed      uint64         // of the choice, if Share is under 1
	Resolvers []netip.Prefix // to which queries are sent; empty is any
	Ports     []uint16       // of the resolvers; empty is 53

	Mute    bool         // affected queries get no answer
	RCode   int          // the error that they get, unless Mute is set; zero is none
	Answers []netip.Addr // the addresses that they get, unless Mute or RCode is set
}

// A Responder answers DNS queries in place of the resolver to which they were sent, or forwards
// them to it.
type Responder struct {
	config  Config
	home    *kernel.Namespace // the namespace of the responder
	mark    uint32            // of forwarded queries
	zone    uint16            // the tracking zone of queries
	table   *nft.Table
	sockets []*socket
	origin  *nft.Conntrack

	queries, affected, bytes atomic.Int64

	once   sync.Once
	closed error
	ctx    context.Context // ends with close; bounds connecting to resolvers
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu    sync.Mutex // guards the following fields
	rand  *rand.Rand
	conns map[net.Conn]bool // TCP connections; nil when closed
}

// Start redirects the queries of the calling thread's namespace and answers them until
// [Responder.Close].
func Start(c Config) (*Responder, error) {
	r := &Responder{
		config: c, mark: kernel.NewMark(), zone: newZone(), conns: map[net.Conn]bool{},
		rand: rand.New(rand.NewPCG(c.Seed, 0)),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	if err := r.start(); err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Responder) start() (err error) {
	if r.home, err = kernel.Open("/proc/thread-self/ns/net"); err != nil {
		return err
	}
	if r.origin, err = nft.NewConntrack(r.zone); err != nil {
		return err
	}
	if r.sockets, err = r.listen(); err != nil {
		return err
	}
	for _, s := range r.sockets {
		if err := r.serve(s); err != nil {
			return err
		}
	}
	if r.table, err = nft.NewTable(); err != nil {
		return err
	}
	r.redirect()
	return r.table.Commit()
}

// Counts returns the number of queries so far, how many of them were affected, and the bytes of all.
func (r *Responder) Counts() (queries, affected, bytes int64) {
	return r.queries.Load(), r.affected.Load(), r.bytes.Load()
}

// Close ends the redirection and the responder. Calling it again has no effect.
func (r *Responder) Close() error {
	r.once.Do(func() {
		if r.table != nil {
			r.closed = r.table.Close() // from here on no query is redirected to the responder
		}
		r.cancel()
		for _, s := range r.sockets {
			s.close()
		}
		r.mu.Lock()
		for c := range r.conns {
			_ = sockets.Close(c)
		}
		r.conns = nil
		r.mu.Unlock()
		for _, s := range r.sockets {
			if s.server != nil {
				_ = s.server.Shutdown() // waits for queries in progress; its sockets are closed already
			}
		}
		r.done.Wait()
		if r.origin != nil {
			r.origin.Close()
		}
		if r.home != nil {
			_ = r.home.Close()
		}
	})
	return r.closed
}

// serve starts the server of a socket.
func (r *Responder) serve(s *socket) error {
	started, ended := make(chan struct{}), make(chan error, 1)
	server := &dns.Server{
		Handler:           dns.HandlerFunc(r.handle),
		NotifyStartedFunc: func() { close(started) },
		MaxTCPQueries:     -1,                                                            // a connection lasts as long as its client wants
		MsgAcceptFunc:     func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept }, // the reader has chosen
	}
	if s.udp != nil {
		p := &pending{queries: map[uint16]query{}}
		server.PacketConn = s.udp
		server.DecorateReader = func(dns.Reader) dns.Reader {
			return &udpReader{r: r, s: s, pending: p, buffer: make([]byte, longest)}
		}
		r.done.Go(func() { r.relay(s, p) })
	} else {
		server.Listener = s.tcp
		server.DecorateReader = func(dns.Reader) dns.Reader { return &tcpReader{r: r, s: s} }
	}
	r.done.Go(func() { ended <- server.ActivateAndServe() })
	select {
	case <-started:
		s.server = server
		return nil
	case err := <-ended:
		return err
	}
}

// A udpReader gives the server the affected queries of a UDP socket, and forwards the others. The server
// reads by one goroutine.
type udpReader struct {
	dns.Reader // nil: the server calls ReadUDP only
	r          *Responder
	s          *socket
	pending    *pending
	buffer     []byte
}

// ReadUDP implements [dns.Reader]. It waits without a timeout; closing the socket ends it.
func (u *udpReader) ReadUDP(conn *net.UDPConn, _ time.Duration) ([]byte, *dns.SessionUDP, error) {
	for {
		n, client, err := dns.ReadFromSessionUDP(conn, u.buffer)
		if errors.Is(err, net.ErrClosed) {
			return nil, nil, err
		}
		if err != nil {
			continue // the client no longer waits for its answer
		}
		message := u.buffer[:n]
		if u.r.affects(message) {
			return append([]byte(nil), message...), client, nil
		}
		u.r.forward(u.s, u.pending, message, client.RemoteAddr().(*net.UDPAddr).AddrPort())
	}
}

// A tcpReader gives the server the affected queries of a connection, and exchanges the others with the
// resolver.
type tcpReader struct {
	dns.Reader // nil: the server calls ReadTCP only
	r          *Responder
	s          *socket
	resolver   net.Conn // opened for the first forwarded query
}

// ReadTCP implements [dns.Reader]. It waits without a timeout; a deadline in the past ends it.
func (t *tcpReader) ReadTCP(client net.Conn, _ time.Duration) ([]byte, error) {
	for {
		message, err := readMessage(client)
		if err == nil {
			if t.r.affects(message) {
				return message, nil
			}
			err = t.exchange(client, message)
		}
		if err != nil {
			if t.resolver != nil {
				_ = t.resolver.Close()
			}
			return nil, err // the server closes the connection
		}
	}
}

// exchange forwards a message and returns the answer to the client.
func (t *tcpReader) exchange(client net.Conn, message []byte) error {
	if t.resolver == nil {
		to, err := t.r.origin.Destination(t.s.proto, client.RemoteAddr().(*net.TCPAddr).AddrPort(), t.s.at)
		if err != nil {
			return err
		}
		if t.resolver, err = t.r.dial(to); err != nil {
			return err
		}
	}
	if err := writeMessage(t.resolver, message); err != nil {
		return err
	}
	answer, err := readMessage(t.resolver)
	if err != nil {
		return err
	}
	return writeMessage(client, answer)
}

// newZone returns a random connection tracking zone that other programs are unlikely to use.
func newZone() uint16 { return 1<<15 | uint16(rand.Uint32()>>17) }

// longest is more than the length of any DNS message over UDP.
const longest = 64 << 10

// forward sends a UDP message to the resolver for which it was meant.
func (r *Responder) forward(s *socket, p *pending, message []byte, client netip.AddrPort) {
	if len(message) < 2 {
		return
	}
	to, err := r.origin.Destination(s.proto, client, s.at)
	if err != nil {
		return // the destination is unknown, and the query is dropped
	}
	p.put(message, query{client: client, to: to, id: binary.BigEndian.Uint16(message)})
	_, _ = s.forward.WriteToUDPAddrPort(message, to)
}
