// Package connect opens those connections of brunt that are not part of a load: for calls and questions of a
// scenario, for checks whether a unit is ready, and for figures that services read during a run.
//
//	guard.allow, policies --> Lists --> Check --> Dial, Transport --before and after DNS, at each redirect--> connection
//
// The [Check] sees a name before it is looked up, and the address that a socket is about to connect to. So no query of
// DNS carries a name to a stranger, and neither a name, nor a redirect, nor an answer of DNS leads to an address
// outside it. It uses no proxy of the environment, because a proxy could lead anywhere.
// Loads dial through package targets/dial, which checks in the same way. TestDials (scenarios/run) finds every other
// place that dials.
package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"brunt/scenarios"
)

// A Check returns why a connection to an address is not allowed, or nil. Host is the name that resolved to it, or the
// address as written. To has a port and no valid address before host, a name, is looked up: Check returns why that is
// not allowed. The zero Check refuses everything except loopback.
type Check func(to netip.AddrPort, host string) error

// Lists returns a check for lists of entries in the form of guard.allow. All lists must contain an address. Without a
// list only loopback is allowed. Refuse makes the error for another address. An invalid entry is a
// [scenarios.ReachError].
func Lists(lists [][]string, refuse func(addr string) error) (Check, error) {
	reach := make([]scenarios.Reach, max(1, len(lists)))
	for i, list := range lists {
		for _, entry := range list {
			if err := reach[i].Add(entry); err != nil {
				return nil, err
			}
		}
	}
	names := sync.OnceValue(HostsFile)
	return func(to netip.AddrPort, host string) error {
		for i := range reach {
			switch {
			case !to.Addr().IsValid():
				if !reach[i].MayLookUp(host, to.Port()) && len(names().Of(host)) == 0 {
					return refuse(host)
				}
			case !reach[i].Holds(to, host):
				return refuse(to.Addr().Unmap().String())
			}
		}
		return nil
	}, nil
}

// To returns a check that allows one host:port, and the addresses of its name under any other name.
func To(hostport string) Check {
	host, port, _ := net.SplitHostPort(hostport)
	names := sync.OnceValue(HostsFile)
	return func(to netip.AddrPort, led string) error {
		if !to.Addr().IsValid() {
			if scenarios.IsLocalhost(led) || strings.EqualFold(led, host) || len(names().Of(led)) > 0 {
				return nil
			}
			return fmt.Errorf("%s is not %s, which alone is asked here", led, hostport)
		}
		if fmt.Sprint(to.Port()) == port && (strings.EqualFold(led, host) || isAt(host, to.Addr())) {
			return nil
		}
		return fmt.Errorf("%s, of %s, is not %s, which alone is asked here", to, led, hostport)
	}
}

// isAt reports whether a name resolves to an address.
func isAt(host string, addr netip.Addr) bool {
	ctx, cancel := context.WithTimeout(context.Background(), nameTime)
	defer cancel()
	addrs, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	return slices.ContainsFunc(addrs, func(a netip.Addr) bool { return a.Unmap() == addr.Unmap() })
}

// Dial connects to host:port if the check allows it. The error has the address that was refused.
func (c Check) Dial(ctx context.Context, network, hostport string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(hostport)
	if err == nil {
		err = c.CheckName(ctx, hostport)
	}
	if err != nil {
		return nil, err
	}
	d := net.Dialer{ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return c.check(to, host)
	}}
	return d.DialContext(ctx, network, hostport)
}

// Within returns Dial with a time limit for a connection.
func (c Check) Within(limit time.Duration) func(ctx context.Context, network, hostport string) (net.Conn, error) {
	return func(ctx context.Context, network, hostport string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return c.Dial(ctx, network, hostport)
	}
}

// nameTime is how long the addresses of a name are waited for.
const nameTime = 5 * time.Second

// Reaches returns why a connection to host:port would be refused, without making one: the check allows none of its
// addresses. It is nil for a name that has no address now; the connection itself will report that.
func (c Check) Reaches(ctx context.Context, hostport string) error {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, nameTime)
	defer cancel()
	n, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return err
	}
	if err := c.CheckName(ctx, hostport); err != nil {
		return err
	}
	addrs, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	var refused error
	for _, a := range addrs {
		err := c.check(netip.AddrPortFrom(a, uint16(n)), host)
		if err == nil {
			return nil
		}
		refused = errors.Join(refused, err)
	}
	return refused
}

// CheckName returns why the host of host:port may not be looked up. It is nil for an address.
func (c Check) CheckName(ctx context.Context, hostport string) error {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return err
	}
	return c.check(netip.AddrPortFrom(netip.Addr{}, uint16(n)), host)
}

func (c Check) check(to netip.AddrPort, host string) error {
	if c == nil {
		c = loopback()
	}
	return c(to, host)
}

// loopback returns the check that allows only loopback.
func loopback() Check {
	c, _ := Lists(nil, func(addr string) error { // without entries, none is invalid
		return fmt.Errorf("%s is beyond loopback, and nothing allows that", addr)
	})
	return c
}

// Transport returns an HTTP transport that obeys the check, also after redirects. It uses no proxy.
func (c Check) Transport() *http.Transport {
	const patience = 10 * time.Second
	return &http.Transport{
		DialContext: c.Dial, ForceAttemptHTTP2: true, TLSHandshakeTimeout: patience, IdleConnTimeout: time.Minute,
		MaxIdleConnsPerHost: 2,
	}
}
