package allow

import (
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/policies"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/dial"
)

// A List keeps load, or faults that make calls, within the blast radius: loopback, the addresses of the services that
// brunt started, and the addresses that the scenario's guard and every policy allow. It checks the address that a
// connection really goes to, after redirects, resolve and DNS.
type List struct {
	rules    []*Rules                       // every one must allow an address
	resolves []map[string]string            // the distinct `resolve` settings of the loads
	Own      *OwnAddresses                  // addresses of the services that brunt started; nil means none beyond loopback
	local    func() map[string][]netip.Addr // names with addresses in this machine's hosts file
}

// New reads guard.allow.load or guard.allow.chaos, depending on key, and the same list of each policy. A scenario
// without the list may reach every address that all policies with the list allow. If the scenario uses secrets, the
// lists allow.secrets limit it as well.
func New(key string, sc *scenarios.Scenario, policies []*policies.Policy, m *syntax.Mistakes) *List {
	out := &List{Own: new(OwnAddresses), local: sync.OnceValue(hostsFile)}
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
//     A name without a dot that the hosts file lacks passes.
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
	known := l.local()[strings.ToLower(strings.TrimSuffix(host, "."))]
	for _, f := range l.rules {
		if err := f.name(hostport, name, known); err != nil {
			return err
		}
	}
	return nil
}

// mostHosts is the maximum size of the hosts file, in bytes.
const mostHosts = 64 << 20

// hostsFile returns the addresses of each name in this machine's hosts file, the only source of addresses before a run.
func hostsFile() map[string][]netip.Addr {
	path := "/etc/hosts"
	if runtime.GOOS == "windows" {
		path = filepath.Join(os.Getenv("SystemRoot"), "System32", "drivers", "etc", "hosts")
	}
	text, err := disk.Read(path, mostHosts)
	if err != nil { // there is no hosts file
		return nil
	}
	return parseHosts(string(text))
}

// parseHosts parses a hosts file: an address and its names per line (hosts(5)).
func parseHosts(text string) map[string][]netip.Addr {
	out := map[string][]netip.Addr{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		ip, err := netip.ParseAddr(fields[0])
		if err != nil {
			continue
		}
		for _, name := range fields[1:] {
			name = strings.ToLower(strings.TrimSuffix(name, "."))
			out[name] = append(out[name], ip.Unmap())
		}
	}
	return out
}

func portOf(hostport string) uint16 {
	_, p, _ := net.SplitHostPort(hostport)
	n, _ := strconv.ParseUint(p, 10, 16)
	return uint16(n)
}

// Check refuses an address outside the blast radius. host is the name that resolved to it, or empty.
func (l *List) Check(addr netip.Addr, hostport, host string) error {
	return l.CheckAddr(netip.AddrPortFrom(addr.Unmap(), portOf(hostport)), host)
}

// CheckAddr refuses an address outside the blast radius. host is the name that resolved to it, or empty.
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
