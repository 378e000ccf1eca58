package run

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"brunt/scenarios"
)

// A fence is a list of what may be reached beyond loopback: addresses, ranges, hosts.
type fence struct {
	prefixes []netip.Prefix
	addrs    []string // host:port as written
	hosts    []string
	refuse   func(what string) error // of what lies beyond it
}

// newFence reads a list, whose items are told of at their places; what says which list
// it is.
func newFence(list []string, at func(i int) scenarios.Pos, what string, refuse func(string) error, m *scenarios.Mistakes) *fence {
	f := &fence{refuse: refuse}
	for i, a := range list {
		switch {
		case strings.Contains(a, "*"):
			m.Add(at(i), "%s names addresses, hosts or ranges such as 10.0.0.0/8; it takes no *", what)
		default:
			if p, err := netip.ParsePrefix(a); err == nil {
				f.prefixes = append(f.prefixes, p.Masked())
				continue
			}
			if ip, err := netip.ParseAddr(strings.Trim(a, "[]")); err == nil {
				f.prefixes = append(f.prefixes, netip.PrefixFrom(ip, ip.BitLen()))
				continue
			}
			if ap, err := netip.ParseAddrPort(a); err == nil {
				f.addrs = append(f.addrs, ap.String())
				continue
			}
			if strings.ContainsAny(a, "/ ") || a == "" {
				m.AddHint(at(i), "such as 10.1.2.3, 10.0.0.0/8 or api.test.example.com", "%s: %q is no address, range or host", what, a)
				continue
			}
			f.hosts = append(f.hosts, strings.ToLower(a))
		}
	}
	return f
}

// allowsHost tells whether host, as a URL writes it, was named. Its addresses are then
// allowed as well.
func (f *fence) allowsHost(host, hostport string) bool {
	return slices.Contains(f.hosts, strings.ToLower(host)) || slices.Contains(f.hosts, strings.ToLower(hostport))
}

// check refuses an address beyond the fence. Host is the name that led to it, or empty.
func (f *fence) check(addr netip.Addr, hostport, host string) error {
	if addr.IsLoopback() || slices.ContainsFunc(f.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return nil
	}
	if slices.Contains(f.addrs, hostport) || host != "" && f.allowsHost(host, hostport) {
		return nil
	}
	return f.refuse(addr.String())
}

// name refuses a name that is known to lie beyond the fence, before anything is asked
// to resolve it. Known are the addresses that this machine gives it itself; host is the
// name that leads to an address, or empty where resolve does.
func (f *fence) name(written, hostport, host string, known []netip.Addr) error {
	bare := strings.ToLower(strings.TrimSuffix(written, "."))
	if bare == "localhost" || strings.HasSuffix(bare, ".localhost") || len(f.prefixes)+len(f.addrs) > 0 || host != "" && f.allowsHost(host, hostport) {
		return nil
	}
	err := f.refuse(written)
	for _, ip := range known {
		if err = f.check(ip, netip.AddrPortFrom(ip, portOf(hostport)).String(), host); err == nil {
			return nil
		}
	}
	if len(known) == 0 && !strings.Contains(bare, ".") {
		return nil
	}
	return err
}

// covers tells whether all that an item of another fence stands for lies within this
// one. What a name leads to is known only as it is connected to, and looked at then;
// sure tells to take none for within that is not named.
func (f *fence) covers(other *fence, sure bool) (beyond string, ok bool) {
	for _, p := range other.prefixes {
		if !p.Addr().IsLoopback() && !slices.ContainsFunc(f.prefixes, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }) {
			return short(p), false
		}
	}
	for _, a := range other.addrs {
		ap := netip.MustParseAddrPort(a)
		if f.check(ap.Addr().Unmap(), a, "") != nil {
			return a, false
		}
	}
	for _, h := range other.hosts {
		bare, _, _ := strings.Cut(h, ":")
		switch {
		case bare == "localhost" || strings.HasSuffix(bare, ".localhost") || f.allowsHost(bare, h):
		case sure || len(f.prefixes)+len(f.addrs) == 0:
			return h, false
		}
	}
	return "", true
}

// short writes a range of one address as that.
func short(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// outside is the error of what lies outside a scenario's own blast radius.
func outside(what string) error {
	return fmt.Errorf("load goes to loopback and to what brunt started; name %s under guard.allow.load to let it go there", what)
}
