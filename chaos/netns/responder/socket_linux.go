package responder

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"brunt/chaos/netns/kernel"
	"brunt/chaos/netns/nft"
	"brunt/chaos/proxy"

	"github.com/google/nftables/expr"
	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// A socket is a socket to which queries are redirected.
type socket struct {
	proto   byte
	at      netip.AddrPort
	udp     *net.UDPConn
	tcp     *listener
	forward *net.UDPConn  // sends forwarded queries, for udp
	pending *pending      // forwarded queries, for udp
	read    chan struct{} // closed when all messages from before the end of the redirection are read, for udp
	server  *dns.Server   // nil until it serves
}

func (s *socket) nfproto() byte {
	if s.at.Addr().Is6() {
		return unix.NFPROTO_IPV6
	}
	return unix.NFPROTO_IPV4
}

func (s *socket) family() []expr.Any { return nft.Family(s.nfproto()) }

// source matches packets that the socket sends.
func (s *socket) source() []expr.Any {
	at := uint32(12)
	if s.at.Addr().Is6() {
		at = 8
	}
	return nft.Field(expr.PayloadBaseNetworkHeader, at, s.at.Addr().AsSlice())
}

// listen opens the sockets that the thread's namespace supports; without IPv6 there are only those of
// IPv4. Sockets for forwarded queries carry the mark.
func (r *Responder) listen() (all []*socket, err error) {
	defer func() {
		if err != nil {
			for _, s := range all {
				s.close()
			}
		}
	}()
	for _, a := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
		at := netip.AddrPortFrom(a, 0)
		u, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		if err != nil {
			if a.Is6() && (errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT)) {
				break
			}
			return all, fmt.Errorf("opening a responder in the namespace: %w", err)
		}
		s := &socket{proto: unix.IPPROTO_UDP, at: u.LocalAddr().(*net.UDPAddr).AddrPort(), udp: u, read: make(chan struct{})}
		all = append(all, s)
		network := "udp4"
		if a.Is6() {
			network = "udp6"
		}
		if s.forward, err = net.ListenUDP(network, nil); err == nil {
			err = kernel.MarkConn(s.forward, r.mark)
		}
		if err != nil {
			return all, fmt.Errorf("opening a socket to ask on: %w", err)
		}
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
		if err != nil {
			return all, fmt.Errorf("opening a responder in the namespace: %w", err)
		}
		all = append(all, &socket{proto: unix.IPPROTO_TCP, at: l.Addr().(*net.TCPAddr).AddrPort(), tcp: &listener{l, r}})
	}
	return all, nil
}

func (s *socket) close() {
	if s.udp != nil {
		_ = proxy.CloseSocket(s.udp)
	}
	if s.forward != nil {
		_ = proxy.CloseSocket(s.forward)
	}
	if s.tcp != nil {
		_ = s.tcp.Close()
	}
}

// A listener accepts connections that end with the responder.
type listener struct {
	*net.TCPListener
	r *Responder
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return l.r.keep(c, waits)
}

func (l *listener) Close() error { return proxy.CloseSocket(l.TCPListener) }

// A conn is a connection of a client or to a resolver.
type conn struct {
	net.Conn
	r *Responder
}

// keep registers c to be closed by [Responder.Close]. If the responder is closed already, it closes c.
func (r *Responder) keep(c net.Conn, is use) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conns == nil {
		_ = proxy.CloseSocket(c)
		return nil, net.ErrClosed
	}
	r.conns[c] = is
	return conn{c, r}, nil
}

func (c conn) Close() error {
	c.r.mu.Lock()
	delete(c.r.conns, c.Conn)
	c.r.mu.Unlock()
	return proxy.CloseSocket(c.Conn)
}
