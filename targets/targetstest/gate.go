package targetstest

import (
	"net"
	"net/netip"
	"strconv"

	"brunt/scenarios"
)

// A Gate is an allow-list of a test: it is asked for each address that a connection goes to, and without an address for
// each host that a proxy connects to, but localhost. It lets all names be looked up.
type Gate func(addr netip.Addr, hostport, host string) error

// CheckName implements [targets.Allowlist].
func (Gate) CheckName(string, uint16) error { return nil }

// CheckAddr implements [targets.Allowlist].
func (g Gate) CheckAddr(to netip.AddrPort, host string) error { return g(to.Addr(), to.String(), host) }

// CheckNamed implements [targets.Allowlist].
func (g Gate) CheckNamed(host string, port uint16) error {
	if scenarios.IsLocalhost(host) {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return g(ip.Unmap(), netip.AddrPortFrom(ip, port).String(), host)
	}
	return g(netip.Addr{}, net.JoinHostPort(host, strconv.Itoa(int(port))), host)
}
