package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"brunt/scenarios"
	"brunt/targets"
)

// A Network opens connections to addresses that the allowlist accepts. It resolves names by the load's own settings
// and takes the load's source addresses in turn.
type Network struct {
	allow targets.Allowlist
	names *resolver
	local []netip.Addr // source addresses; empty: the system chooses
	peers *targets.Peers
}

// Complete gives the options of a client a network of its own, if they have none. Its errors are those of [NewNetwork].
func Complete(o *targets.Options) (err error) {
	if o.Network == nil {
		o.Network, err = NewNetwork(o)
	}
	return err
}

// NewNetwork creates the network of one client. It returns an error for a bad source address.
func NewNetwork(o *targets.Options) (*Network, error) {
	d := &Network{allow: o.Allow, names: newResolver(o), peers: o.Peers}
	for _, s := range o.Connections.SourceAddresses {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("source address: %w", err)
		}
		d.local = append(d.local, a.Unmap())
	}
	return d, nil
}

// control checks every socket before it connects. Host is the name that was looked up.
func (d *Network) control(host string) func(network, address string, c syscall.RawConn) error {
	return func(_, address string, c syscall.RawConn) error {
		if err := targets.CheckAddr(d.allow, address, host); err != nil {
			return err
		}
		if len(d.local) > 0 {
			bindLate(c)
		}
		return nil
	}
}

var errNoFamily = errors.New("no address of the name is of the source address's family")

// DialTCP opens connection n to host:port before ctx ends. Consecutive numbers start with different source addresses,
// and then with different addresses of the name. The addresses share the time left, so that an address that drops all
// packets does not hide the others.
func (d *Network) DialTCP(ctx context.Context, host, port string, n uint64) (*net.TCPConn, error) {
	addrs, name, err := d.names.lookup(ctx, host, port)
	if err != nil {
		return nil, err
	}
	stages := targets.StagesOf(ctx)
	stages.Enter(scenarios.InConnect)
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
			d.peers.Accepted(to)
			return c, nil
		}
		err = derr
		if _, refused := errors.AsType[*targets.NotAllowedError](err); refused || ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// minShare is the least time for one address, if that much time is left.
const minShare = 2 * time.Second

// try connects to one address; left counts the addresses that are not tried yet.
func (d *Network) try(ctx context.Context, nd *net.Dialer, to netip.AddrPort, left int) (*net.TCPConn, error) {
	if until, ok := ctx.Deadline(); ok && left > 1 {
		rest := time.Until(until)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, min(rest, max(rest/time.Duration(left), minShare)))
		defer cancel()
	}
	began := time.Now()
	c, err := nd.DialContext(ctx, "tcp", to.String())
	took := time.Since(began)
	if err != nil {
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			targets.StagesOf(ctx).SentAgain(unanswered(took))
		}
		return nil, err
	}
	raw := c.(*net.TCPConn)
	targets.StagesOf(ctx).SentAgain(resentBySystem(raw, took))
	return raw, nil
}

func (d *Network) Dial(ctx context.Context, address string, n uint64) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	c, err := d.DialTCP(ctx, host, port, n)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// DialUDP opens socket n, connected to host:port. Consecutive numbers have different source addresses. A socket sends
// nothing by itself, so that only the first address of the name, of the family of the source address, is tried.
func (d *Network) DialUDP(ctx context.Context, address string, n uint64) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs, name, err := d.names.lookup(ctx, host, port)
	if err != nil {
		return nil, err
	}
	nd := net.Dialer{Control: d.control(name)}
	if len(d.local) == 0 {
		return nd.DialContext(ctx, "udp", addrs[0].String())
	}
	local := d.local[n%uint64(len(d.local))]
	nd.LocalAddr = &net.UDPAddr{IP: local.AsSlice(), Zone: local.Zone()}
	for _, to := range addrs {
		if to.Addr().Is4() == local.Is4() {
			return nd.DialContext(ctx, "udp", to.String())
		}
	}
	return nil, errNoFamily
}

func (*Network) Listen(ctx context.Context, address string) (net.Listener, error) {
	var l net.ListenConfig
	return l.Listen(ctx, "tcp", address)
}
