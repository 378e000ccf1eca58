package responder

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/chaos/netns/kernel"
	"brunt/chaos/netns/nft"
	"brunt/chaos/proxy"

	"github.com/google/nftables"
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
	last    [16]byte          // a message to itself, which shows that all earlier ones are read
	table   *nft.Table
	sockets []*socket
	origin  *nft.Conntrack

	first, nat *nftables.Chain // chains of the table

	queries, affected, bytes atomic.Int64
	off                      atomic.Bool // no query is affected any more

	once   sync.Once
	closed error
	freed  chan struct{}   // closed when nothing is left after Close
	ctx    context.Context // ends with close; bounds connecting to resolvers
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu    sync.Mutex // guards the following fields
	rand  *rand.Rand
	conns map[net.Conn]use // TCP connections; nil when closed
}

// Start redirects the queries of the calling thread's namespace and answers them until
// [Responder.Close].
func Start(c Config) (*Responder, error) {
	r := &Responder{
		config: c, mark: kernel.NewMark(), zone: newZone(), conns: map[net.Conn]use{},
		rand: rand.New(rand.NewPCG(c.Seed, 0)), freed: make(chan struct{}),
	}
	_, _ = crand.Read(r.last[:]) // never fails
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

// Close ends the fault: no query is redirected or affected any more. Queries in flight are still answered, see
// [Responder.Wait]. Calling it again has no effect.
func (r *Responder) Close() error {
	r.once.Do(func() {
		if r.off.Store(true); r.table == nil {
			r.free()
			return
		}
		if err := r.straight(); err != nil { // the last resort, which breaks queries in flight
			r.closed = r.table.Close()
			r.free()
			return
		}
		r.hangUp()
		if r.handled(); !r.inFlight() {
			r.closed = r.table.Close()
			r.free()
			return
		}
		go func() { // Wait waits for this goroutine
			r.drain()
			_ = r.table.Close() // the table redirects nothing; the kernel removes it with this process in any case
			r.free()
		}()
	})
	return r.closed
}

// Wait returns after Close, when queries in flight are answered or their time is over, and nothing of the responder is
// left.
func (r *Responder) Wait() { <-r.freed }

const (
	drainFor   = 2 * time.Second // time to answer a query in flight: more than a working resolver takes
	drainEvery = 5 * time.Millisecond
	// readWithin is the time to read redirected messages on a busy machine; usually it takes microseconds
	readWithin = 250 * time.Millisecond
)

// drain waits until no query is in flight.
func (r *Responder) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	every := time.NewTicker(drainEvery)
	defer every.Stop()
	for r.inFlight() {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// inFlight reports whether a query waits for the answer of its resolver.
func (r *Responder) inFlight() bool {
	if slices.ContainsFunc(r.sockets, func(s *socket) bool { return s.pending.waiting() }) {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, is := range r.conns {
		if is == waits {
			return true
		}
	}
	return false
}

// A use is the state of a TCP connection.
type use uint8

const (
	toResolver use = iota
	waits          // of a client that waits for an answer, or is about to ask
	rests          // of a client that waits for nothing
)

// hangUp ends the connections of clients that wait for nothing. The others end after their answer.
func (r *Responder) hangUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c, is := range r.conns {
		if is == rests {
			_ = c.SetReadDeadline(time.Unix(1, 0))
		}
	}
}

// rest notes that the client of a connection waits for nothing. It returns false if the connection is to end then.
func (r *Responder) rest(client net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := client.(conn); ok && r.conns != nil {
		r.conns[c.Conn] = rests
	}
	return !r.off.Load()
}

// asks notes that the client of a connection waits for an answer.
func (r *Responder) asks(client net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := client.(conn); ok && r.conns != nil {
		r.conns[c.Conn] = waits
	}
}

// handled waits until the redirected UDP queries are read: it sends a message of its own, which comes after them.
func (r *Responder) handled() {
	for _, s := range r.sockets {
		if s.udp == nil || s.forward == nil {
			continue
		}
		if _, err := s.forward.WriteToUDPAddrPort(r.last[:], s.at); err != nil {
			continue
		}
		select {
		case <-s.read:
		case <-time.After(readWithin): // it was lost, as a query can be
		}
	}
}

// free closes everything that is open.
func (r *Responder) free() {
	defer close(r.freed)
	r.cancel()
	for _, s := range r.sockets {
		s.close()
	}
	r.mu.Lock()
	for c := range r.conns {
		_ = proxy.CloseSocket(c)
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
}

// serve starts the server of a socket.
func (r *Responder) serve(s *socket) error {
	started, ended := make(chan struct{}), make(chan error, 1)
	server := &dns.Server{
		Handler:           dns.HandlerFunc(r.handle),
		NotifyStartedFunc: func() { close(started) },
		// a connection lasts as long as the client wants
		MaxTCPQueries: -1,
		MsgAcceptFunc: func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept }, // the reader has selected
	}
	if s.udp != nil {
		s.pending = &pending{queries: map[uint16]query{}}
		server.PacketConn = s.udp
		server.DecorateReader = func(dns.Reader) dns.Reader {
			return &udpReader{r: r, s: s, buffer: make([]byte, longest)}
		}
		r.done.Go(func() { r.relay(s) })
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
		if bytes.Equal(message, u.r.last[:]) {
			close(u.s.read)
			continue
		}
		if u.r.affects(message) {
			return append([]byte(nil), message...), client, nil
		}
		u.r.forward(u.s, message, client.RemoteAddr().(*net.UDPAddr).AddrPort())
	}
}

// A tcpReader gives the server the affected queries of a connection, and exchanges the others with the
// resolver.
type tcpReader struct {
	dns.Reader // nil: the server calls ReadTCP only
	r          *Responder
	s          *socket
	resolver   net.Conn // opened for the first forwarded query
	asked      bool     // the client has asked something before
}

// ReadTCP implements [dns.Reader]. It waits without a timeout; a deadline in the past ends it.
func (t *tcpReader) ReadTCP(client net.Conn, _ time.Duration) ([]byte, error) {
	for ; ; t.asked = true {
		if t.asked && !t.r.rest(client) { // a new connection is about to ask
			return nil, io.EOF
		}
		message, err := readMessage(client)
		if err == nil {
			if t.r.asks(client); t.r.affects(message) {
				t.asked = true
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
func (r *Responder) forward(s *socket, message []byte, client netip.AddrPort) {
	if len(message) < 2 {
		return
	}
	to, err := r.origin.Destination(s.proto, client, s.at)
	if err != nil {
		return // the destination is unknown, and the query is dropped
	}
	s.pending.put(message, query{client: client, to: to, id: binary.BigEndian.Uint16(message)})
	_, _ = s.forward.WriteToUDPAddrPort(message, to)
}
