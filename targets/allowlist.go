package targets

import (
	"fmt"
	"net/netip"
	"net/url"

	"brunt/scenarios"
)

// An Allowlist refuses addresses outside the blast radius; nil allows all. Host is the name
// that was looked up to get addr; it is empty if the scenario's resolve gave the address. Addr
// is not valid if only a proxy resolves the name.
type Allowlist func(addr netip.Addr, hostport, host string) error

// NotAllowedError is an address outside the blast radius.
type NotAllowedError struct {
	Addr string // host:port
	Err  error
}

func (e *NotAllowedError) Error() string { return fmt.Sprintf("%s is not allowed: %v", e.Addr, e.Err) }
func (e *NotAllowedError) Unwrap() error { return e.Err }

// Check checks the address, host:port, that a connection goes to, after names were
// resolved and redirects followed. The error is a [NotAllowedError].
func (l Allowlist) Check(address, host string) error {
	if l == nil {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err == nil {
		err = l(ap.Addr().Unmap(), address, host)
	}
	if err != nil {
		return &NotAllowedError{address, err}
	}
	return nil
}

// CheckProxied checks a URL that is reached through a proxy. The proxy resolves the name, so
// the name must be allowed, whatever its addresses are.
func (l Allowlist) CheckProxied(u *url.URL) error {
	host, hostport := u.Hostname(), HostPort(u)
	if l == nil || scenarios.IsLocalhost(host) {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return l(ip.Unmap(), hostport, host)
	}
	if l(netip.Addr{}, hostport, host) != nil {
		return fmt.Errorf("%s is reached by a proxy, which looks the name up itself; name %s under guard.allow.load to "+
			"let load go there", host, host)
	}
	return nil
}
