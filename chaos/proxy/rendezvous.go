package proxy

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// A rendezvous identifies the connection of a probe at the proxy by the probe's local address,
// which is known before it connects.
type rendezvous struct {
	p       *Proxy
	at      netip.AddrPort
	peer    string        // replaces the upstream
	dialed  chan struct{} // closed when the connection attempt has ended
	ok      bool          // connected; valid after dialed
	arrived chan struct{} // closed when the link exists
	link    *link         // valid after arrived
}

// expected returns the probe that a connection may belong to.
func (p *Proxy) expected(c *net.TCPConn) *rendezvous {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.expectedProbes[plain(c.RemoteAddr())]
}

func plain(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}

// waitDialed waits until the probe has connected. It returns false if the probe could not connect:
// then the connection from its address belongs to another client.
func (rv *rendezvous) waitDialed(ctx context.Context) bool {
	select {
	case <-rv.dialed:
		return rv.ok
	case <-ctx.Done():
		return false
	}
}

// came records that the link exists. The proxy's lock is held.
func (rv *rendezvous) came(l *link) {
	delete(rv.p.expectedProbes, rv.at)
	rv.link = l
	close(rv.arrived)
}

// dial connects a probe to the proxy's listener; its connection goes to peer.
func (p *Proxy) dial(ctx context.Context, peer string) (*net.TCPConn, *rendezvous, error) {
	to := *p.listener.Addr()
	if to.IP.IsUnspecified() {
		to.IP = net.IPv4(127, 0, 0, 1)
	}
	var err error
	for range 20 {
		var at *net.TCPAddr
		err = p.c.InNamespace(func() (err error) {
			at, err = freePort(to.IP, to.Zone)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		rv := &rendezvous{p: p, at: plain(at), peer: peer, dialed: make(chan struct{}), arrived: make(chan struct{})}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, nil, errClosed
		}
		p.expectedProbes[rv.at] = rv
		p.mu.Unlock()
		var c net.Conn
		d := net.Dialer{LocalAddr: at, KeepAlive: -1}
		err = p.c.InNamespace(func() (err error) {
			c, err = d.DialContext(ctx, "tcp", to.String())
			return err
		})
		rv.ok = err == nil
		close(rv.dialed)
		if err == nil {
			return c.(*net.TCPConn), rv, nil
		}
		rv.leave()
		if !taken(err) {
			break
		}
	}
	return nil, nil, err
}

// taken reports whether an address was unavailable because another process took it.
func taken(err error) bool {
	var se *os.SyscallError
	return errors.As(err, &se) && se.Syscall == "bind" || errors.Is(err, syscall.EADDRNOTAVAIL)
}

// freePort returns a port that is free at the moment.
func freePort(ip net.IP, zone string) (*net.TCPAddr, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip, Zone: zone})
	if err != nil {
		return nil, err
	}
	at := l.Addr().(*net.TCPAddr)
	return at, l.Close()
}

func (rv *rendezvous) leave() {
	rv.p.mu.Lock()
	defer rv.p.mu.Unlock()
	if rv.p.expectedProbes[rv.at] == rv {
		delete(rv.p.expectedProbes, rv.at)
	}
}

// end ends the probe's link and waits for its end. It returns the link, or nil if there was none.
func (rv *rendezvous) end() *link {
	select {
	case <-rv.arrived:
	case <-rv.p.ctx.Done(): // the link ends with the proxy
		return nil
	case <-time.After(time.Second): // the connection was never accepted: the listener was closed
		rv.leave()
		select {
		case <-rv.arrived:
		default:
			return nil
		}
	}
	rv.link.shut(true)
	<-rv.link.done
	return rv.link
}
