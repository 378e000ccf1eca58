package chaos

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"brunt/chaos/netns"
	"brunt/scenarios/syntax"
)

// DNS says whose questions for which names a fault answers. Other names are answered as
// ever.
type DNS struct {
	Selector  `yaml:",inline"`
	OnRestart string   `yaml:"on_restart,oneof=inject|void"`          // when the container is started again; zero is inject: the fault is put in anew. void ends it, unjudged
	Names     []string `yaml:"names"`                                 // such as store or *.example.com, which is all below it; zero is all names
	Via       string   `yaml:"via,oneof=auto|nft|nfqueue|ebpf|netem"` // the mechanism; zero is auto: the first that there is
}

// DNSFail answers questions for names with an error.
type DNSFail struct {
	DNS   `yaml:",inline"`
	RCode string `yaml:"rcode,oneof=SERVFAIL|NXDOMAIN|REFUSED"` // zero is SERVFAIL
}

// DNSTimeout does not answer questions for names.
type DNSTimeout struct {
	DNS `yaml:",inline"`
}

// DNSSpoof answers questions for names with other addresses.
type DNSSpoof struct {
	DNS     `yaml:",inline"`
	Answers []string `yaml:"answers,required"` // addresses of IPv4 or IPv6
}

var (
	_ Fault = (*DNSFail)(nil)
	_ Fault = (*DNSTimeout)(nil)
	_ Fault = (*DNSSpoof)(nil)
)

// check holds the settings against what there is.
func (f *DNS) check(at syntax.Pos, do netns.Action, sc Scope, m *syntax.Mistakes) {
	f.Selector.check(at, sc, m)
	if whom := f.Service + f.Unit; whom != "" && f.query().IsZero() && !sc.contained(whom) {
		m.Add(at, "%s is done in the network of a container, and %s is none", do, whom)
	}
	if f.PID != 0 {
		m.Add(f.Of("pid"), "%s is done in the network of a container", do)
	}
	for _, n := range f.Names {
		if strings.Contains(strings.TrimPrefix(n, "*."), "*") || strings.Trim(n, ".") == "" || strings.ContainsAny(n, " /:@") {
			m.AddHint(f.Of("names"), "such as store or *.example.com", "%q is no name", n)
		}
	}
}

// plan makes a step for each unit.
func (f *DNS) plan(ctx context.Context, env Env, what string, spec netns.Spec, s sign) ([]Step, error) {
	units, err := f.units(ctx, env)
	if err != nil {
		return nil, err
	}
	for _, n := range f.Names {
		spec.Names = append(spec.Names, strings.ToLower(strings.TrimSuffix(n, ".")))
	}
	if f.Via != "auto" {
		spec.Via = f.Via
	}
	s.how, s.n, s.name = netns.Query, 1, "brunt.invalid"
	if len(spec.Names) > 0 {
		s.name = strings.Replace(spec.Names[0], "*.", "brunt.", 1)
		what += " for " + strings.Join(spec.Names, ", ")
	}
	var steps []Step
	for _, u := range units {
		c, ok := u.(Contained)
		if !ok {
			return nil, fmt.Errorf("%s is no container, so it has no network of its own", u.Name())
		}
		step := &packets{unit: c, what: what, sign: s, spec: spec, void: f.OnRestart == "void"}
		if err := step.plan(ctx, env); err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// Check implements [Fault].
func (f *DNSFail) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.check(at, netns.DNSFail, sc, m)
}

// Check implements [Fault].
func (f *DNSTimeout) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.check(at, netns.DNSMute, sc, m)
}

// Check implements [Fault].
func (f *DNSSpoof) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.check(at, netns.DNSSpoof, sc, m)
	for _, a := range f.Answers {
		if _, err := netip.ParseAddr(a); err != nil {
			m.AddHint(f.Of("answers"), "such as 192.0.2.1", "%q is no address", a)
		}
	}
}

// Plan implements [Fault].
func (f *DNSFail) Plan(ctx context.Context, env Env) ([]Step, error) {
	rcode := f.RCode
	if rcode == "" {
		rcode = "SERVFAIL"
	}
	return f.plan(ctx, env, "answer questions with "+rcode, netns.Spec{Do: netns.DNSFail, RCode: rcode}, sign{
		prove: func(_ before, now netns.Seen, met netns.Met) (string, error) {
			if now.RCode != rcode || met.Hit == 0 {
				return "", fmt.Errorf("%w: %s", errNoEffect, answered(now))
			}
			return answered(now), nil
		},
		undone: likeBefore,
	})
}

// Plan implements [Fault].
func (f *DNSTimeout) Plan(ctx context.Context, env Env) ([]Step, error) {
	return f.plan(ctx, env, "answer no questions", netns.Spec{Do: netns.DNSMute}, sign{
		prove: func(_ before, now netns.Seen, met netns.Met) (string, error) {
			if now.Silent() == 0 || met.Hit == 0 {
				return "", fmt.Errorf("%w: %s", errNoEffect, answered(now))
			}
			return answered(now), nil
		},
		undone: likeBefore,
	})
}

// Plan implements [Fault].
func (f *DNSSpoof) Plan(ctx context.Context, env Env) ([]Step, error) {
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
	return f.plan(ctx, env, "answer questions with "+strings.Join(f.Answers, ", "), spec, sign{
		prove: func(_ before, now netns.Seen, met netns.Met) (string, error) {
			if met.Hit == 0 || now.Came == 0 || four.IsValid() && (len(now.Addrs) == 0 || now.Addrs[0] != four) {
				return "", fmt.Errorf("%w: %s", errNoEffect, answered(now))
			}
			return answered(now), nil
		},
		undone: likeBefore,
	})
}

// answered says how a question was answered.
func answered(s netns.Seen) string {
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

// likeBefore finds that a question has the kind of answer that it had before.
func likeBefore(b before, now netns.Seen) (string, error) {
	if was, is := answered(b.seen), answered(now); was != is && (b.seen.RCode != now.RCode || b.seen.Came == 0) {
		return "", fmt.Errorf("%s; before, it was: %s", is, was)
	}
	return answered(now), nil
}
