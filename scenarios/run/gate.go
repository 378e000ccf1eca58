package run

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
)

// A gate keeps load within the blast radius: loopback, what brunt started, and
// what allow.load names. It is asked with the address that a connection really
// goes to, redirects, resolve and DNS included.
type gate struct {
	prefixes []netip.Prefix
	addrs    []string // host:port as written
	hosts    []string
}

// newGate reads allow.load.
func newGate(g scenarios.Guard, m *scenarios.Mistakes) *gate {
	out := &gate{}
	for _, a := range g.Allow.Load {
		switch {
		case a == "*" || strings.Contains(a, "*"):
			m.Add(g.Of("allow"), "allow.load names addresses, hosts or ranges such as 10.0.0.0/8; it takes no *")
		default:
			if p, err := netip.ParsePrefix(a); err == nil {
				out.prefixes = append(out.prefixes, p.Masked())
				continue
			}
			if ip, err := netip.ParseAddr(strings.Trim(a, "[]")); err == nil {
				out.prefixes = append(out.prefixes, netip.PrefixFrom(ip, ip.BitLen()))
				continue
			}
			if ap, err := netip.ParseAddrPort(a); err == nil {
				out.addrs = append(out.addrs, ap.String())
				continue
			}
			if strings.ContainsAny(a, "/ ") || a == "" {
				m.AddHint(g.Of("allow"), "such as 10.1.2.3, 10.0.0.0/8 or api.test.example.com", "allow.load: %q is no address, range or host", a)
				continue
			}
			out.hosts = append(out.hosts, strings.ToLower(a))
		}
	}
	return out
}

// allows tells whether host, as a URL writes it, was named. Its addresses are then
// allowed as well.
func (g *gate) allowsHost(host, hostport string) bool {
	return slices.Contains(g.hosts, strings.ToLower(host)) || slices.Contains(g.hosts, strings.ToLower(hostport))
}

// host refuses a host that is known to lie outside the blast radius before anything
// is asked to resolve it: an address that was not named, or a name where nothing was.
func (g *gate) host(u *url.URL) error {
	host, hostport := u.Hostname(), hostPort(u)
	if ip, err := netip.ParseAddr(host); err == nil {
		return g.check(ip.Unmap(), netip.AddrPortFrom(ip.Unmap(), portOf(hostport)).String(), host)
	}
	local := strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost")
	if local || len(g.prefixes)+len(g.addrs) > 0 || g.allowsHost(host, hostport) {
		return nil // what counts is the address that the name leads to, at the time
	}
	return outside(host)
}

// outside is the error of what lies outside the blast radius.
func outside(what string) error {
	return fmt.Errorf("load goes to loopback and to what brunt started; name %s under guard.allow.load to let it go there", what)
}

func portOf(hostport string) uint16 {
	_, p, _ := net.SplitHostPort(hostport)
	n, _ := strconv.ParseUint(p, 10, 16)
	return uint16(n)
}

// check refuses an address outside the blast radius. Host is the name that led to
// it, or empty.
func (g *gate) check(addr netip.Addr, hostport, host string) error {
	if addr.IsLoopback() {
		return nil
	}
	for _, p := range g.prefixes {
		if p.Contains(addr) {
			return nil
		}
	}
	if slices.Contains(g.addrs, hostport) || host != "" && g.allowsHost(host, hostport) {
		return nil
	}
	return outside(addr.String())
}
