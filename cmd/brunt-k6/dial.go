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

	"brunt/scenarios"
	"brunt/scenarios/k6"

	"go.k6.io/k6/lib"
	"go.k6.io/k6/lib/netext"
)

// dialer opens the connections of a virtual user, to the addresses that the scenario maps to and only within the
// blast radius. k6's own block list handles neither ports nor names, so the dialer checks the address that it
// connects to, after names are resolved.
type dialer struct {
	*netext.Dialer
	routes map[string]string // host or host:port, to the address used instead
}

var _ interface {
	lib.DialContexter
	lib.AddrResolver
} = (*dialer)(nil)

// allowLists parses the lists of allowed addresses.
func allowLists(lists [][]string) ([]*scenarios.Reach, error) {
	var out []*scenarios.Reach
	for _, l := range lists {
		r := new(scenarios.Reach)
		for _, entry := range l {
			if err := r.Add(entry); err != nil {
				return nil, err
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// arm replaces a virtual user's dialer. A second call has no effect.
func arm(s *lib.State, c *k6.Config) error {
	if s == nil {
		return nil
	}
	own, ok := s.Dialer.(*netext.Dialer)
	if !ok {
		return nil // armed already
	}
	all, err := allowLists(c.Allow)
	if err != nil {
		return err
	}
	own.Dialer.ControlContext = func(ctx context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		host, _ := ctx.Value(hostKey{}).(string)
		for _, f := range all {
			if !f.Holds(to, host) {
				return fmt.Errorf("%s %s", to.Addr().Unmap(), k6.NotAllowed)
			}
		}
		return nil
	}
	d := &dialer{own, c.Routes}
	s.Dialer = d
	if t, ok := s.Transport.(*http.Transport); ok {
		t.DialContext, t.Proxy = d.DialContext, nil
	}
	return nil
}

type hostKey struct{}

func (d *dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	to, moved := d.route(addr)
	if host, _, err := net.SplitHostPort(addr); err == nil && !moved { // host is the name that resolves to the address
		ctx = context.WithValue(ctx, hostKey{}, host)
	}
	return d.Dialer.DialContext(ctx, network, to)
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
