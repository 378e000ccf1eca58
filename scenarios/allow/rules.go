package allow

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/connect"
	"brunt/scenarios/policies"
	"brunt/scenarios/syntax"
)

// Rules lists the addresses that may be reached beyond loopback, and makes the error for any other address.
type Rules struct {
	scenarios.Reach
	refuse func(what string) error
}

// NewRules parses a list and reports its mistakes to m. at returns the position of an item, and what names the list in
// mistakes. refuse makes the error for an address outside the list.
func NewRules(
	list []string, at func(i int) syntax.Pos, what string, refuse func(string) error, m *syntax.Mistakes,
) *Rules {
	r := &Rules{refuse: refuse}
	for i, a := range list {
		if wrong, ok := errors.AsType[*scenarios.ReachError](r.Add(a)); ok {
			m.AddHint(at(i), wrong.Hint, "%s: %s", what, wrong.What)
		}
	}
	return r
}

// check refuses an address outside the rules. host is the name that resolved to it, or empty.
func (r *Rules) check(to netip.AddrPort, host string) error {
	if r.Holds(to, host) {
		return nil
	}
	return r.refuse(to.Addr().Unmap().String())
}

// name refuses a name that is known to lie outside the rules, before any DNS query. known holds its addresses in this
// machine's hosts file. host is the name that DNS resolves, or empty if resolve gives the address.
func (r *Rules) name(hostport, host string, known []netip.Addr) error {
	written, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return err
	}
	port := portOf(hostport)
	if scenarios.IsLocalhost(written) || r.NamesAddresses() || host != "" && r.NamesHost(host, port) {
		return nil
	}
	err = r.refuse(written)
	for _, ip := range known {
		if err = r.check(netip.AddrPortFrom(ip, port), host); err == nil {
			return nil
		}
	}
	return err
}

// The keys of guard.allow that rules are read from.
const (
	Load  = "load"  // guard.allow.load
	Chaos = "chaos" // guard.allow.chaos

	Secrets = "secrets" // guard.allow.secrets, which limits both lists if the scenario has secrets
)

// refusal returns a function that makes the error for an address outside a scenario's own blast radius.
func refusal(key string) func(what string) error {
	if key == Chaos {
		return scenarios.FaultsBeyond
	}
	return func(what string) error {
		return fmt.Errorf("load goes to loopback and to what brunt started; name %s under guard.allow.load to let it go "+
			"there", what)
	}
}

// secretRules returns the rules of allow.secrets of the scenario and of each policy that has this list; nil for a
// scenario without secrets.
func secretRules(sc *scenarios.Scenario, policies []*policies.Policy, m *syntax.Mistakes) []*Rules {
	if len(sc.SecretRefs) == 0 {
		return nil
	}
	out := PolicyRules(policies, Secrets, m)
	if list := sc.Guard.Allow.Secrets; list != nil {
		at := func(int) syntax.Pos { return sc.Guard.Of("allow") }
		out = append(out, NewRules(list, at, "allow."+Secrets, func(what string) error {
			return policyError{
				fmt.Sprintf("guard.allow.secrets does not list %s, so requests and faults may not go there", what),
			}
		}, m))
	}
	for _, r := range out {
		refuse := r.refuse
		r.refuse = func(what string) error {
			return policyError{fmt.Sprintf("%v from a scenario with secrets, such as %s", refuse(what), sc.SecretRefs[0])}
		}
	}
	return out
}

// A policyError is the error for an address outside a list that guard.allow.load and guard.allow.chaos can't widen.
type policyError struct{ text string }

func (e policyError) Error() string { return e.text }

// OfPolicy reports whether an error of a [List] comes from a list of a policy or from allow.secrets.
func OfPolicy(err error) bool {
	_, ok := errors.AsType[policyError](err)
	return ok
}

// PolicyNames returns the check of names that are looked up and not connected to, such as the peers of a fault on
// packets: each policy with a list of load or of chaos must let a name be looked up by one of them.
func PolicyNames(policies []*policies.Policy) func(host string, port uint16) error {
	names := sync.OnceValue(connect.HostsFile)
	return func(host string, port uint16) error {
		for i := range policies {
			rules := slices.Concat(PolicyRules(policies[i:i+1], Load, new(syntax.Mistakes)),
				PolicyRules(policies[i:i+1], Chaos, new(syntax.Mistakes)))
			may := func(r *Rules) bool { return r.MayLookUp(host, port) }
			if len(rules) > 0 && !slices.ContainsFunc(rules, may) && len(names().Of(host)) == 0 {
				return rules[0].refuse(host)
			}
		}
		return nil
	}
}

// PolicyRules returns the rules of allow.load, allow.chaos or allow.secrets, depending on key, one for each policy that
// has this list.
func PolicyRules(policies []*policies.Policy, key string, m *syntax.Mistakes) []*Rules {
	var out []*Rules
	for _, p := range policies {
		list := p.Allow.Of(key)
		if list == nil {
			continue
		}
		items := p.Items("allow", key)
		at := func(i int) syntax.Pos {
			if i < len(items) {
				return items[i].Pos
			}
			return p.Of("allow")
		}
		out = append(out, NewRules(list, at, "allow."+key, func(what string) error {
			who := map[string]string{Load: "load", Chaos: "a fault", Secrets: "anything"}[key]
			return policyError{fmt.Sprintf("%s (allow.%s) does not let %s go to %s", p.Of("allow"), key, who, what)}
		}, m))
	}
	return out
}
