package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"brunt/scenarios/connect"
	"brunt/scenarios/k6"

	"go.k6.io/k6/js/modules"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/lib/netext"
)

// dialer opens the connections of a virtual user, to the addresses that the scenario maps to and only within the
// blast radius. k6's own block list handles neither ports nor names, so the dialer checks the address that it
// connects to, after names are resolved, and each name before.
type dialer struct {
	*netext.Dialer
	within connect.Check
	routes map[string]string // host or host:port, to the address used instead
}

var _ interface {
	lib.DialContexter
	lib.AddrResolver
} = (*dialer)(nil)

// within returns the check of names and addresses by the allow-lists.
func within(c *k6.Config) (connect.Check, error) {
	return connect.Lists(c.Allow, func(addr string) error { return fmt.Errorf("%s %s", addr, k6.NotAllowed) })
}

// arm replaces a virtual user's dialer, and the transport of its requests. A second call has no effect.
func arm(vu modules.VU, l *link) error {
	s, c := vu.State(), &l.config
	if s == nil {
		return nil
	}
	own, ok := s.Dialer.(*netext.Dialer)
	if !ok {
		return nil // armed already
	}
	within, err := within(c)
	if err != nil {
		return err
	}
	own.Dialer.ControlContext = func(ctx context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		host, _ := ctx.Value(hostKey{}).(string)
		return within(to, host)
	}
	d := &dialer{own, within, c.Routes}
	s.Dialer = d
	if t, ok := s.Transport.(*http.Transport); ok {
		t.DialContext, t.Proxy = d.DialContext, nil
		s.Transport = &cutTransport{t, vu, l}
	}
	return nil
}

type hostKey struct{}

func (d *dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	to, moved := d.route(addr)
	if err := d.checkName(ctx, to); err != nil {
		return nil, err
	}
	if host, _, err := net.SplitHostPort(addr); err == nil && !moved && !d.hosted(addr) {
		ctx = context.WithValue(ctx, hostKey{}, host) // the system's resolver gives its address
	}
	return d.Dialer.DialContext(ctx, network, to)
}

// ResolveAddr implements [lib.AddrResolver].
func (d *dialer) ResolveAddr(addr string) (net.IP, int, error) {
	whole := addr
	if _, _, err := net.SplitHostPort(addr); err != nil {
		whole = net.JoinHostPort(addr, "0")
	}
	if err := d.checkName(context.Background(), whole); err != nil {
		return nil, 0, err
	}
	return d.Dialer.ResolveAddr(addr)
}

// checkName refuses a name that may not be looked up.
func (d *dialer) checkName(ctx context.Context, hostport string) error {
	if d.hosted(hostport) { // the address that the script gives is checked by the connection
		return nil
	}
	return d.within.CheckName(ctx, hostport)
}

// hosted reports whether the script gives the address of host:port, by its option hosts.
func (d *dialer) hosted(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	return err == nil && d.Hosts != nil && (d.Hosts.Match(hostport) != nil || d.Hosts.Match(host) != nil)
}

// route returns the address used for a connection to addr.
func (d *dialer) route(addr string) (to string, moved bool) {
	if to, ok := d.routes[addr]; ok {
		return to, true
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr, false
	}
	to, ok := d.routes[host]
	if !ok {
		return addr, false
	}
	if _, _, err := net.SplitHostPort(to); err == nil {
		return to, true
	}
	if _, err := strconv.Atoi(port); err != nil {
		return addr, false
	}
	return net.JoinHostPort(strings.Trim(to, "[]"), port), true
}
