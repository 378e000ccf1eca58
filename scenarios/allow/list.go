package allow

import (
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/connect"
	"brunt/scenarios/policies"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/dial"
)

// A List keeps load, or faults that make calls, within the blast radius: loopback, the addresses of the services that
// brunt started, and the addresses that the scenario's guard and every policy allow. It checks the address that a
// connection really goes to, after redirects, resolve and DNS.
type List struct {
	rules    []*Rules             // every one must allow an address
	resolves []map[string]string  // the distinct `resolve` settings of the loads
	Own      *OwnAddresses        // addresses of the services that brunt started; nil means none beyond loopback
	local    func() connect.Hosts // [connect.HostsFile], read once
}

// New reads guard.allow.load or guard.allow.chaos, depending on key, and the same list of each policy. A scenario
// without the list may reach every address that all policies with the list allow. If the scenario uses secrets, the
// lists allow.secrets limit it as well.
func New(key string, sc *scenarios.Scenario, policies []*policies.Policy, m *syntax.Mistakes) *List {
	out := &List{Own: new(OwnAddresses), local: sync.OnceValue(connect.HostsFile)}
	g := sc.Guard
	list := g.Allow.Of(key)
	bounds := PolicyRules(policies, key, m)
	if list != nil || len(bounds) == 0 {
		at := func(int) syntax.Pos { return g.Of("allow") }
		out.rules = append(out.rules, NewRules(list, at, "allow."+key, refusal(key), m))
	}
	out.rules = append(out.rules, bounds...)
	out.rules = append(out.rules, secretRules(sc, policies, m)...)
	return out
}

// Of returns the list of lists of entries, as they stand in guard.allow: every one must allow an address. Without a
// list only loopback is allowed. Refuse makes the error for another address. An invalid entry is a
// [scenarios.ReachError].
func Of(lists [][]string, refuse func(what string) error) (*List, error) {
	out := &List{local: sync.OnceValue(connect.HostsFile)}
	if len(lists) == 0 {
		lists = [][]string{nil}
	}
	for _, list := range lists {
		r := &Rules{refuse: refuse}
		for _, entry := range list {
			if err := r.Add(entry); err != nil {
				return nil, err
			}
		}
		out.rules = append(out.rules, r)
	}
	return out, nil
}

// ReachedBy adds the `resolve` settings of loads, which change the address of the target. It returns l.
func (l *List) ReachedBy(loads []scenarios.Load) *List {
	for i := range loads {
		own := loads[i].Resolve
		if !slices.ContainsFunc(l.resolves, func(known map[string]string) bool { return maps.Equal(known, own) }) {
			l.resolves = append(l.resolves, own)
		}
	}
	return l
}

// CheckTarget refuses a target that is known to lie outside the blast radius for every load.
func (l *List) CheckTarget(u *url.URL) error {
	if len(l.resolves) == 0 {
		return l.CheckURL(nil)(u)
	}
	var first error
	for _, resolve := range l.resolves {
		err := l.CheckURL(resolve)(u)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// CheckURL returns a check of a URL before any DNS query. It applies resolve to the host, then refuses
//   - an address that is not listed;
//   - a name that is not listed, if no address is listed and the hosts file of this machine gives it no allowed one.
//
// Other names may lead to a listed address, so their addresses are checked when a connection is made.
func (l *List) CheckURL(resolve map[string]string) func(u *url.URL) error {
	return func(u *url.URL) error {
		written := targets.HostPort(u)
		for _, to := range ResolvedAll(written, resolve) {
			if err := l.checkPlace(written, to); err != nil {
				return err
			}
		}
		return nil
	}
}

// checkPlace checks a host:port of which a URL has the one that is written.
func (l *List) checkPlace(written, hostport string) error {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return err
	}
	name := host // the name that DNS resolves; empty if resolve gives the address
	if hostport != written {
		name = ""
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return l.CheckAddr(netip.AddrPortFrom(ip.Unmap(), portOf(hostport)), name)
	}
	known := l.local().Of(host)
	for _, f := range l.rules {
		if err := f.name(hostport, name, known); err != nil {
			return err
		}
	}
	return nil
}

func portOf(hostport string) uint16 {
	_, p, _ := net.SplitHostPort(hostport)
	n, _ := strconv.ParseUint(p, 10, 16)
	return uint16(n)
}

// CheckName refuses a name before it is looked up: a name that is neither listed nor in the hosts file of this machine,
// if no address is listed that it could have.
func (l *List) CheckName(host string, port uint16) error {
	for _, f := range l.rules {
		if !f.MayLookUp(host, port) && len(l.local().Of(host)) == 0 {
			return f.refuse(host)
		}
	}
	return nil
}

// CheckAddr refuses an address outside the blast radius. host is the name for which the system's resolver gave it, or
// empty.
func (l *List) CheckAddr(to netip.AddrPort, host string) error {
	if l.Own.Has(to.Addr().Unmap()) {
		return nil
	}
	for _, f := range l.rules {
		if err := f.check(to, host); err != nil {
			return err
		}
	}
	return nil
}

// Check implements [connect.Check].
func (l *List) Check(to netip.AddrPort, host string) error {
	if !to.Addr().IsValid() {
		return l.CheckName(host, to.Port())
	}
	return l.CheckAddr(to, host)
}

// CheckNamed refuses a host (a name or an address) that is neither loopback nor an entry of every list. It is for
// connections that other programs make: brunt does not see their addresses, and a name may lead to any address.
func (l *List) CheckNamed(host string, port uint16) error {
	ip, err := netip.ParseAddr(host)
	for _, f := range l.rules {
		if scenarios.IsLocalhost(host) || f.NamesHost(host, port) || err == nil && f.Holds(netip.AddrPortFrom(ip, port), "") {
			continue
		}
		return f.refuse(host)
	}
	return nil
}

// All is the allow-list of what every one of its lists allows.
type All []targets.Allowlist

// CheckName implements [targets.Allowlist].
func (a All) CheckName(host string, port uint16) error {
	return a.each(func(l targets.Allowlist) error { return l.CheckName(host, port) })
}

// CheckAddr implements [targets.Allowlist].
func (a All) CheckAddr(to netip.AddrPort, host string) error {
	return a.each(func(l targets.Allowlist) error { return l.CheckAddr(to, host) })
}

// CheckNamed implements [targets.Allowlist].
func (a All) CheckNamed(host string, port uint16) error {
	return a.each(func(l targets.Allowlist) error { return l.CheckNamed(host, port) })
}

func (a All) each(check func(targets.Allowlist) error) error {
	for _, l := range a {
		if err := check(l); err != nil {
			return err
		}
	}
	return nil
}

// CheckCluster refuses a namespace of a cluster that some list does not name.
func (l *List) CheckCluster(name string) error {
	for _, f := range l.rules {
		if !f.NamesCluster(name) {
			return f.refuse(name)
		}
	}
	return nil
}

// OwnAddresses holds the addresses, beyond loopback, of the services that brunt started. It is safe for concurrent use.
type OwnAddresses struct {
	mu    sync.Mutex
	addrs []netip.Addr
}

// Add adds addresses of services that brunt started.
func (s *OwnAddresses) Add(addrs ...netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addrs = append(s.addrs, addrs...)
}

// Names lists the addresses as entries of an allow-list.
func (s *OwnAddresses) Names() (out []string) {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.addrs {
		out = append(out, a.String())
	}
	return out
}

// List lists the addresses.
func (s *OwnAddresses) List() []netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.addrs)
}

// Has reports whether an address beyond loopback belongs to a service that brunt started.
func (s *OwnAddresses) Has(addr netip.Addr) bool {
	if s == nil || addr.IsLoopback() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.addrs, addr)
}

// Resolved returns the host:port that the first connection to hostport goes to under a load's `resolve` setting.
func Resolved(hostport string, resolve map[string]string) string {
	return ResolvedAll(hostport, resolve)[0]
}

// ResolvedAll returns each host:port that connections to hostport go to under a load's `resolve` setting; at least
// one.
func ResolvedAll(hostport string, resolve map[string]string) (all []string) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return []string{hostport}
	}
	places, _ := dial.Resolved(host, port, resolve)
	for _, to := range places {
		all = append(all, to.String())
	}
	return all
}
