package targets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// dialer opens TCP connections: names resolved, source addresses in turn, and only
// to addresses that the gate lets pass.
type dialer struct {
	gate  Gate
	names *resolver
	local []netip.Addr // source addresses; none is the system's choice
}

func newDialer(o *Options) (*dialer, error) {
	d := &dialer{gate: o.Gate, names: newResolver(o)}
	for _, s := range o.Connections.SourceAddresses {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("source address: %w", err)
		}
		d.local = append(d.local, a.Unmap())
	}
	return d, nil
}

// notAllowed is an address outside the blast radius.
type notAllowed struct {
	addr string
	err  error
}

func (e *notAllowed) Error() string { return fmt.Sprintf("%s is not allowed: %v", e.addr, e.err) }
func (e *notAllowed) Unwrap() error { return e.err }

// control is told of every socket before it is connected. Host is the name that led to
// the address.
func (d *dialer) control(host string) func(network, address string, c syscall.RawConn) error {
	return func(_, address string, c syscall.RawConn) error {
		if err := d.gate.passes(address, host); err != nil {
			return err
		}
		if len(d.local) > 0 {
			bindLate(c)
		}
		return nil
	}
}

// passes makes a gate a check of the address that a connection really goes to, names
// resolved and redirects followed.
func (g Gate) passes(address, host string) error {
	if g == nil {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err == nil {
		err = g(ap.Addr().Unmap(), address, host)
	}
	if err != nil {
		return &notAllowed{address, err}
	}
	return nil
}

var errNoFamily = errors.New("no address of the name is of the source address's family")

// dial opens connection n to host:port before ctx ends. Each begins with another source
// address, then with another address of the name, and every address gets its share of
// the time that is left, so that one which swallows everything doesn't hide the others.
func (d *dialer) dial(ctx context.Context, host, port string, n uint64) (*net.TCPConn, error) {
	addrs, name, err := d.names.lookup(ctx, host, port)
	if err != nil {
		return nil, err
	}
	turn := int(n & (1<<31 - 1))
	nd := net.Dialer{KeepAlive: -1, Control: d.control(name)}
	var local netip.Addr
	if len(d.local) > 0 {
		local = d.local[turn%len(d.local)]
		nd.LocalAddr = &net.TCPAddr{IP: local.AsSlice(), Zone: local.Zone()}
		turn /= len(d.local)
	}
	err = errNoFamily
	for i := range addrs {
		to := addrs[(turn+i)%len(addrs)]
		if local.IsValid() && local.Is4() != to.Addr().Is4() {
			continue
		}
		c, derr := d.try(ctx, &nd, to, len(addrs)-i)
		if derr == nil {
			return c, nil
		}
		err = derr
		if _, refused := errors.AsType[*notAllowed](err); refused || ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// leastShare is the time that an address gets at least, if there is as much.
const leastShare = 2 * time.Second

// try dials one of left addresses.
func (d *dialer) try(ctx context.Context, nd *net.Dialer, to netip.AddrPort, left int) (*net.TCPConn, error) {
	if until, ok := ctx.Deadline(); ok && left > 1 {
		rest := time.Until(until)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, min(rest, max(rest/time.Duration(left), leastShare)))
		defer cancel()
	}
	c, err := nd.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}
