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

// Guard limits what a run may break, and which units and addresses it may reach.
type Guard struct {
	syntax.Place
	// maximum number of units that a fault may hit; zero is no limit
	MaxUnits int               `yaml:"max_units,min=1"`
	MaxEach  quantity.Duration `yaml:"max_each,positive"` // maximum duration of a fault; zero is no limit
	// what to do when a selector matches no unit: fail the run, or skip the fault; zero is fail
	OnNoUnit string `yaml:"on_no_unit,oneof=fail|skip"`
	Allow    Allow  `yaml:"allow"` // other addresses that load and faults may reach
}

// Allow names addresses that a run may reach besides loopback and the units that brunt started. Without a list of
// secrets, Secrets sets no limit.
type Allow struct {
	Load []string `yaml:"load"` // hosts, host:port, addresses or CIDR ranges that load may reach
	// engines and hosts that faults may reach, and namespaces of clusters whose pods they may hit, as
	// kubernetes/CONTEXT/NAMESPACE; in a policy these are also the namespaces in which a run may make pods, such as those
	// of workers, and load may name them too
	Chaos []string `yaml:"chaos"`
	// the only hosts, addresses or ranges of load and chaos that a scenario may reach if it uses ${env.…}, ${file.…},
	// a script, or a file from outside its folder, so that their values go nowhere else; default: all that load and
	// chaos name
	Secrets []string `yaml:"secrets"`
	// labels of a cluster's nodes: faults may hit only the nodes that have all of them; zero is no node
	Nodes map[string]string `yaml:"nodes"`
}

// Of returns the list with the key load, chaos or secrets.
func (a Allow) Of(key string) []string {
	return map[string][]string{"load": a.Load, "chaos": a.Chaos, "secrets": a.Secrets}[key]
}

// Reach is the set of network addresses that a run may reach, besides loopback and what brunt
// started: addresses, ranges and hosts from its guard. The zero value is empty.
type Reach struct {
	prefixes []netip.Prefix
	addrs    []string // host:port entries, as written
	hosts    []string
	clusters []string // namespaces of clusters, as kubernetes/CONTEXT/NAMESPACE
}

// A ReachError says what is wrong with an entry, and how to fix it.
type ReachError struct{ What, Hint string }

// Error implements error.
func (e *ReachError) Error() string { return e.What }

// FaultsBeyond returns the error for an address that faults may not call.
func FaultsBeyond(what string) error {
	return fmt.Errorf("faults may call only loopback and units that brunt started; to allow more, name %s under "+
		"guard.allow.chaos, and in the same list of each policy that has one", what)
}

// QuestionsBeyond returns the error for an address that questions may not be sent to. Questions are metrics, alerts,
// watch, ready and detect.
func QuestionsBeyond(what string) error {
	return fmt.Errorf("questions may go only to loopback and units that brunt started; to allow more, name %s under "+
		"guard.allow.load or guard.allow.chaos, and in the same list of each policy that has one", what)
}

// ImagesBeyond returns the error for a registry from which an image with a secret in its name may not be fetched.
func ImagesBeyond(what string) error {
	return fmt.Errorf("secrets may go only to loopback and units that brunt started; to allow more, name %s under "+
		"guard.allow.load or guard.allow.chaos, and in the same list of each policy that has one", what)
}

// CallsBeyond returns the error for an address outside the guard that a call or a question was about to connect to.
func CallsBeyond(what string) error {
	return fmt.Errorf("brunt may call only loopback and units that it started; to allow more, name %s under "+
		"guard.allow.chaos, or for metrics, alerts, watch, ready and detect under guard.allow.load, "+
		"and in the same list of each policy that has one", what)
}

// Add adds an entry of allow.load or allow.chaos: an address, a range, host:port or a host. Its
// error is a [ReachError].
func (r *Reach) Add(entry string) error {
	if is, ok := parseClusterName(entry); is {
		if !ok {
			return &ReachError{
				fmt.Sprintf("%q is no namespace of a cluster", entry),
				"such as kubernetes/CONTEXT/NAMESPACE, with a context of the kubeconfig",
			}
		}
		r.clusters = append(r.clusters, entry)
		return nil
	}
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
		return &ReachError{
			fmt.Sprintf("%q is not an address, range or host", entry), "such as 10.1.2.3, 10.0.0.0/8 or api.test.example.com",
		}
	}
	r.hosts = append(r.hosts, strings.ToLower(entry))
	return nil
}

// NamesCluster reports whether name, as kubernetes/CONTEXT/NAMESPACE, is an entry.
func (r *Reach) NamesCluster(name string) bool { return slices.Contains(r.clusters, name) }

// NamesAddresses reports whether the entries contain addresses or ranges. If so, a host name may
// resolve to one of them.
func (r *Reach) NamesAddresses() bool { return len(r.prefixes)+len(r.addrs) > 0 }

// NamesHost reports whether host, as written in a URL, is an entry, alone or with port. The addresses that an entry
// resolves to are within reach as well.
func (r *Reach) NamesHost(host string, port uint16) bool {
	host = strings.ToLower(host)
	return slices.Contains(r.hosts, host) || slices.Contains(r.hosts, net.JoinHostPort(host, strconv.Itoa(int(port))))
}

// MayLookUp reports whether host may be looked up: it is an entry, a name of this machine, or a name that may have an
// address that is an entry.
func (r *Reach) MayLookUp(host string, port uint16) bool {
	return IsLocalhost(host) || r.NamesAddresses() || r.NamesHost(host, port)
}

// Covers reports whether r contains everything in other; if not, beyond names an entry that r lacks. A host name is
// resolved and checked only on connecting: without sure, a host name counts as covered where r has addresses or
// ranges, because it may resolve to one of them. With sure, a host name must itself be an entry.
func (r *Reach) Covers(other *Reach, sure bool) (beyond string, ok bool) {
	for _, p := range other.prefixes {
		if !p.Addr().IsLoopback() && !slices.ContainsFunc(r.prefixes,
			func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }) {
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
	for _, c := range other.clusters {
		if !r.NamesCluster(c) {
			return c, false
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

// IsLocalhost reports whether host is a name of this machine: localhost, or a name below it (RFC 6761, section 6.3).
func IsLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// IsLoopback reports whether the host of a URL, a name or an address, is this machine.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return IsLocalhost(host) || err == nil && ip.Unmap().IsLoopback()
}

// Holds reports whether an address is loopback or allowed by an entry. host is the name that resolved to the address,
// or empty.
func (r *Reach) Holds(to netip.AddrPort, host string) bool {
	addr := to.Addr().Unmap()
	if addr.IsLoopback() || slices.ContainsFunc(r.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return true
	}
	to = netip.AddrPortFrom(addr, to.Port())
	return slices.Contains(r.addrs, to.String()) || host != "" && r.NamesHost(host, to.Port())
}

// Allowed returns the items of guard.allow.load, guard.allow.chaos or guard.allow.secrets, as key says, and whether it
// was written.
func (s *Scenario) Allowed(key string) ([]*syntax.Node, bool) {
	n := s.Root.Get("guard").Get("allow").Get(key)
	return s.Root.ItemsAt("guard", "allow", key), n != nil && n.Kind != syntax.Null
}
