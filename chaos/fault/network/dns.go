package network

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/selector"
	"brunt/scenarios/syntax"
)

// DNS selects the units, and the names whose queries a fault answers. Queries for other names are answered as before.
type DNS struct {
	selector.Selector `yaml:",inline"`
	// what happens when the container is started again; zero is inject: the fault is injected again. void ends it, and
	// the run is invalid
	OnRestart string `yaml:"on_restart,oneof=inject|void"`
	// names such as store, or *.example.com for all names below it; zero is all names. A name is also hit as the unit's
	// resolver completes it by its search list, such as store.shop.svc.cluster.local in a pod; one with a final dot is
	// complete
	Names []string `yaml:"names"`
	// the mechanism; zero is auto: the first one available
	Via string `yaml:"via,oneof=auto|nft|nfqueue|ebpf|netem"`
}

// DNSFail is the fault dns.fail.
type DNSFail struct {
	DNS   `yaml:",inline"`
	RCode string `yaml:"rcode,oneof=SERVFAIL|NXDOMAIN|REFUSED"` // zero is SERVFAIL
}

// DNSTimeout is the fault dns.timeout.
type DNSTimeout struct {
	DNS `yaml:",inline"`
}

// DNSSpoof is the fault dns.spoof.
type DNSSpoof struct {
	DNS     `yaml:",inline"`
	Answers []string `yaml:"answers,required"` // addresses of IPv4 or IPv6
}

var (
	_ chaos.Fault = (*DNSFail)(nil)
	_ chaos.Fault = (*DNSTimeout)(nil)
	_ chaos.Fault = (*DNSSpoof)(nil)
)

// check checks the settings against the target.
func (f *DNS) check(at syntax.Pos, do netns.Action, sc chaos.Scope, m *syntax.Mistakes) {
	f.Selector.CheckSelector(at, sc, m)
	if hit := f.Service + f.Unit; hit != "" && f.Query().IsZero() && !sc.Contained(hit) {
		m.Add(at, "%s acts on the network of a container; %s is not a container", do, hit)
	}
	if f.PID != 0 {
		m.Add(f.Of("pid"), "%s acts on the network of a container", do)
	}
	for _, n := range f.Names {
		if strings.Contains(strings.TrimPrefix(n, "*."), "*") || strings.Trim(n, ".") == "" ||
			strings.ContainsAny(n, " /:@") {
			m.AddHint(f.Of("names"), "such as store or *.example.com", "%q is not a name", n)
		}
	}
}

// planQueries makes a step for each unit.
func (f *DNS) planQueries(
	ctx context.Context, env chaos.Env, what string, spec netns.Spec, s packets.Evidence,
) ([]chaos.Step, error) {
	for _, n := range f.Names {
		spec.Names = append(spec.Names, strings.ToLower(n))
	}
	if f.Via != "auto" {
		spec.Via = f.Via
	}
	s.Kind, s.N, s.Name = netns.Query, 1, "brunt.invalid"
	if len(spec.Names) > 0 {
		what += " for " + strings.Join(spec.Names, ", ")
	}
	return f.Steps(ctx, env, func(t container.Target) (chaos.Step, error) {
		if t.Contained == nil {
			return nil, fmt.Errorf("%s is not a container, so it has no network of its own", t.Name())
		}
		step := &packets.Step{Target: t, What: what, Evidence: s, Spec: spec, Void: f.OnRestart == "void"}
		err := step.Plan(ctx, env)
		if names := step.Spec.Names; len(names) > 0 { // the unit asks for the first one first
			step.Evidence.Name = strings.Replace(strings.TrimSuffix(names[0], "."), "*.", "brunt.", 1)
		}
		return step, err
	})
}

func (f *DNSFail) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, netns.DNSFail, sc, m)
}

func (f *DNSTimeout) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, netns.DNSMute, sc, m)
}

func (f *DNSSpoof) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, netns.DNSSpoof, sc, m)
	for _, a := range f.Answers {
		if _, err := netip.ParseAddr(a); err != nil {
			m.AddHint(f.Of("answers"), "such as 192.0.2.1", "%q is not an address", a)
		}
	}
}

func (f *DNSFail) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	rcode := f.RCode
	if rcode == "" {
		rcode = "SERVFAIL"
	}
	return f.planQueries(ctx, env, "answer questions with "+rcode, netns.Spec{Do: netns.DNSFail, RCode: rcode},
		packets.Evidence{
			Prove: func(_ packets.Baseline, now netns.ProbeResult, affected netns.Affected) (string, error) {
				if now.RCode != rcode || affected.Hit == 0 {
					return "", fmt.Errorf("%w: %s", chaos.ErrNoEffect, answered(now))
				}
				return answered(now), nil
			},
			Undone: likeBefore(func(now netns.ProbeResult) bool { return now.RCode == rcode }),
		})
}

func (f *DNSTimeout) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return f.planQueries(ctx, env, "answer no questions", netns.Spec{Do: netns.DNSMute}, packets.Evidence{
		Prove: func(_ packets.Baseline, now netns.ProbeResult, affected netns.Affected) (string, error) {
			if now.Silent() == 0 || affected.Hit == 0 {
				return "", fmt.Errorf("%w: %s", chaos.ErrNoEffect, answered(now))
			}
			return answered(now), nil
		},
		Undone: likeBefore(func(netns.ProbeResult) bool { return false }), // an answer is none of its own
	})
}

func (f *DNSSpoof) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	spec := netns.Spec{Do: netns.DNSSpoof}
	four := netip.Addr{}
	for _, a := range f.Answers {
		addr, err := netip.ParseAddr(a)
		if err != nil {
			return nil, err
		}
		spec.Answers = append(spec.Answers, addr)
		if addr.Is4() && !four.IsValid() {
			four = addr
		}
	}
	return f.planQueries(ctx, env, "answer questions with "+strings.Join(f.Answers, ", "), spec, packets.Evidence{
		Prove: func(_ packets.Baseline, now netns.ProbeResult, affected netns.Affected) (string, error) {
			if affected.Hit == 0 || now.Came == 0 || four.IsValid() && (len(now.Addrs) == 0 || now.Addrs[0] != four) {
				return "", fmt.Errorf("%w: %s", chaos.ErrNoEffect, answered(now))
			}
			return answered(now), nil
		},
		Undone: likeBefore(func(now netns.ProbeResult) bool { return four.IsValid() && slices.Contains(now.Addrs, four) }),
	})
}

// answered describes the answer to a query.
func answered(s netns.ProbeResult) string {
	switch {
	case s.Silent() > 0:
		return "it has no answer"
	case s.Came == 0:
		return "it is refused"
	case len(s.Addrs) == 0:
		return "the answer is " + s.RCode
	}
	var out []string
	for _, a := range s.Addrs {
		out = append(out, a.String())
	}
	return "the answer is " + strings.Join(out, ", ")
}

// likeBefore checks that a query has the kind of answer that it had before the fault, or another that is none of the
// fault's own: what came before may be a silent name server's, or that of another fault that was in.
func likeBefore(own func(netns.ProbeResult) bool) func(packets.Baseline, netns.ProbeResult) (string, error) {
	return func(b packets.Baseline, now netns.ProbeResult) (string, error) {
		was, is := answered(b.Result), answered(now)
		switch {
		case was == is:
			return is, nil
		case own(now): // of the same RCode as before, where it spoofs
		case b.Result.RCode == now.RCode && b.Result.Came > 0:
			return is, nil
		case now.Came > 0:
			return fmt.Sprintf("%s; before, it was: %s", is, was), nil
		}
		return "", fmt.Errorf("%s; before, it was: %s", is, was)
	}
}

// traits returns the traits of a fault of a kind that does an action to queries.
func (f *DNS) traits(kind string, do netns.Action, sc chaos.Scope) chaos.Traits {
	t := f.Selector.Traits(sc)
	t.InNetwork = true
	t.Try = func(capabilities func() []netns.Capability) error {
		if sc.Cluster != nil && f.Query().IsZero() { // the nodes of its pods do it
			return nil
		}
		if f.Via == "auto" {
			return packets.Try(kind, do, "", capabilities)
		}
		return packets.Try(kind, do, f.Via, capabilities)
	}
	return t
}

func (f *DNSFail) Traits(sc chaos.Scope) chaos.Traits {
	return f.traits(f.Describe().Kind, netns.DNSFail, sc)
}

func (f *DNSTimeout) Traits(sc chaos.Scope) chaos.Traits {
	return f.traits(f.Describe().Kind, netns.DNSMute, sc)
}

func (f *DNSSpoof) Traits(sc chaos.Scope) chaos.Traits {
	return f.traits(f.Describe().Kind, netns.DNSSpoof, sc)
}

func (*DNSFail) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "dns.fail", New: func() chaos.Fault { return new(DNSFail) }, Platform: "linux",
		Example: "{container: web}",
		Effect:  chaos.Names,
		On:      chaos.OnPackets,
		Doc:     "Answers name queries with an error.",
	}
}

func (*DNSTimeout) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "dns.timeout", New: func() chaos.Fault { return new(DNSTimeout) }, Platform: "linux",
		Example: "{container: web, names: [store]}",
		Effect:  chaos.Names,
		On:      chaos.OnPackets,
		Doc:     "Leaves name queries without an answer.",
	}
}

func (*DNSSpoof) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "dns.spoof", New: func() chaos.Fault { return new(DNSSpoof) }, Platform: "linux",
		Example: "{container: web, names: [store], answers: [192.0.2.1]}",
		Effect:  chaos.Names,
		On:      chaos.OnPackets,
		Doc:     "Answers name queries with other addresses.",
	}
}
