package plan

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// rules is a list of what may be reached beyond loopback, with the error for everything else.
type rules struct {
	scenarios.Reach
	refuse func(what string) error
}

// newRules parses a list. At gives the position of each item for mistakes; what names the list.
func newRules(list []string, at func(i int) syntax.Pos, what string, refuse func(string) error, m *syntax.Mistakes) *rules {
	f := &rules{refuse: refuse}
	for i, a := range list {
		if wrong, ok := errors.AsType[*scenarios.ReachError](f.Add(a)); ok {
			m.AddHint(at(i), wrong.Hint, "%s: %s", what, wrong.What)
		}
	}
	return f
}

// check refuses an address outside the rules. Host is the name that led to it, or empty.
func (f *rules) check(to netip.AddrPort, host string) error {
	if f.Holds(to, host) {
		return nil
	}
	return f.refuse(to.Addr().Unmap().String())
}

// name refuses a name that is known to lie outside the rules, before any DNS query. Known are the
// addresses in this machine's hosts file; host is the name that leads to an address, or empty where
// resolve does.
func (f *rules) name(hostport, host string, known []netip.Addr) error {
	written, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return err
	}
	port := portOf(hostport)
	if scenarios.IsLocalhost(written) || f.NamesAddresses() || host != "" && f.NamesHost(host, port) {
		return nil
	}
	err = f.refuse(written)
	for _, ip := range known {
		if err = f.check(netip.AddrPortFrom(ip, port), host); err == nil {
			return nil
		}
	}
	if len(known) == 0 && !strings.Contains(strings.TrimSuffix(written, "."), ".") {
		return nil
	}
	return err
}

// The keys of guard.allow that rules are read from.
const (
	allowLoad  = "load"  // guard.allow.load
	allowChaos = "chaos" // guard.allow.chaos
)

// outside is the error for an address outside a scenario's own blast radius.
func outside(way string) func(what string) error {
	if way == allowChaos {
		return scenarios.FaultsBeyond
	}
	return func(what string) error {
		return fmt.Errorf("load goes to loopback and to what brunt started; name %s under guard.allow.load to let it go there", what)
	}
}
