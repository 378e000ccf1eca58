package scenarios

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Guard bounds what a run may break, and whom it may touch.
type Guard struct {
	syntax.Place
	MaxUnits int               `yaml:"max_units,min=1"`            // units a fault may hit; zero is no bound
	MaxEach  quantity.Duration `yaml:"max_each,positive"`          // how long a fault may stay; zero is no bound
	OnNoUnit string            `yaml:"on_no_unit,oneof=fail|skip"` // where a selector matches nothing: fail, or skip the fault; zero is fail
	Allow    Allow             `yaml:"allow"`                      // what else load and faults may reach
}

// Allow names addresses beyond loopback and what brunt started.
type Allow struct {
	Load  []string `yaml:"load"`  // hosts, host:port, addresses or CIDR ranges that load may reach
	Chaos []string `yaml:"chaos"` // engines, contexts and hosts that faults may reach
}

// Of gives the list of a way: load or chaos.
func (a Allow) Of(way string) []string {
	if way == "chaos" {
		return a.Chaos
	}
	return a.Load
}

// Reach is what a run may touch of the network besides loopback and what brunt
// started: addresses, ranges and hosts that its guard names. The zero value is nothing.
type Reach struct {
	prefixes []netip.Prefix
	addrs    []string // host:port as written
	hosts    []string
}

// A ReachError tells what is wrong with an entry, and how to mend it.
type ReachError struct{ What, Hint string }

// Error implements error.
func (e *ReachError) Error() string { return e.What }

// FaultsBeyond is the error of what faults may not call.
func FaultsBeyond(what string) error {
	return fmt.Errorf("faults call loopback and what brunt started; name %s under guard.allow.chaos, and where a policy has such a list there too, to let them", what)
}

// Add takes an entry of allow.load or allow.chaos in: an address, a range, host:port
// or a host. Its error is a [ReachError].
func (r *Reach) Add(entry string) error {
	if strings.Contains(entry, "*") {
		return &ReachError{What: "names addresses, hosts or ranges such as 10.0.0.0/8; it takes no *"}
	}
	if p, err := netip.ParsePrefix(entry); err == nil {
		r.prefixes = append(r.prefixes, p.Masked())
		return nil
	}
	if ip, err := netip.ParseAddr(strings.Trim(entry, "[]")); err == nil {
		r.prefixes = append(r.prefixes, netip.PrefixFrom(ip, ip.BitLen()))
		return nil
	}
	if ap, err := netip.ParseAddrPort(entry); err == nil {
		r.addrs = append(r.addrs, ap.String())
		return nil
	}
	if strings.ContainsAny(entry, "/ ") || entry == "" {
		return &ReachError{fmt.Sprintf("%q is no address, range or host", entry), "such as 10.1.2.3, 10.0.0.0/8 or api.test.example.com"}
	}
	r.hosts = append(r.hosts, strings.ToLower(entry))
	return nil
}

// NamesAddresses tells whether addresses or ranges are among the entries: then a name
// may lead to one of them.
func (r *Reach) NamesAddresses() bool { return len(r.prefixes)+len(r.addrs) > 0 }

// NamesHost tells whether host, as a URL writes it, was named. Its addresses are then
// Within reach as well.
func (r *Reach) NamesHost(host string, port uint16) bool {
	host = strings.ToLower(host)
	return slices.Contains(r.hosts, host) || slices.Contains(r.hosts, net.JoinHostPort(host, strconv.Itoa(int(port))))
}

// Covers tells whether all that other stands for lies within r, else what does not.
// What a name leads to is known only as it is connected to, and looked at then; sure
// tells to take none for within that is not named.
func (r *Reach) Covers(other *Reach, sure bool) (beyond string, ok bool) {
	for _, p := range other.prefixes {
		if !p.Addr().IsLoopback() && !slices.ContainsFunc(r.prefixes, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }) {
			if p.IsSingleIP() {
				return p.Addr().String(), false
			}
			return p.String(), false
		}
	}
	for _, a := range other.addrs {
		if !r.Holds(netip.MustParseAddrPort(a), "") {
			return a, false
		}
	}
	for _, h := range other.hosts {
		bare, port, _ := strings.Cut(h, ":")
		n, _ := strconv.ParseUint(port, 10, 16)
		switch {
		case IsLocalhost(bare) || r.NamesHost(bare, uint16(n)):
		case sure || !r.NamesAddresses():
			return h, false
		}
	}
	return "", true
}

// IsLocalhost tells whether a name is that of the machine itself (RFC 6761, section 6.3).
func IsLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// Holds tells whether an address is loopback or was named. Host is the name that led
// to it, or empty.
func (r *Reach) Holds(to netip.AddrPort, host string) bool {
	addr := to.Addr().Unmap()
	if addr.IsLoopback() || slices.ContainsFunc(r.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return true
	}
	to = netip.AddrPortFrom(addr, to.Port())
	return slices.Contains(r.addrs, to.String()) || host != "" && r.NamesHost(host, to.Port())
}
