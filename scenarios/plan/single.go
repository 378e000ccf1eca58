package plan

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/policies"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Single returns the plan reduced to one of its faults, which is injected once and at once, without its place on the
// timeline and without polling the monitoring. Without load only the fault itself is judged. hold is how long the
// fault lasts; zero means the scenario's duration.
func (p *Plan) Single(name string, hold time.Duration) (*Plan, error) {
	var names []string
	for _, e := range p.Faults {
		names = append(names, e.Name)
		if e.Name != name {
			continue
		}
		one := *p
		entry := *e
		stays := e.Stays()
		if e.Pulse != nil {
			stays = min(stays, e.Pulse.On.D())
		}
		if hold > 0 {
			if e.OneShot() {
				return nil, fmt.Errorf("%s is over once it is done; it takes no --for", e.Kind)
			}
			if last := e.LastStep(); last >= hold {
				return nil, fmt.Errorf("its last step comes after %s, so --for is longer than that", quantity.Brief(last))
			}
			stays = hold
		}
		if most := p.Scenario.Guard.MaxEach.D(); most > 0 && stays > most {
			return nil, fmt.Errorf("it would stay for %s, and at most %s are allowed (max_each)", quantity.Brief(stays),
				quantity.Brief(most))
		}
		now := quantity.Duration(0)
		entry.At, entry.After, entry.During, entry.Trigger, entry.Wait = &now, "", "", "", scenarios.Wait{}
		entry.Every, entry.Repeat, entry.Pulse, entry.For = 0, 0, nil, quantity.Duration(stays)
		one.Faults, one.Conditions = []*timeline.Entry{&entry}, nil
		one.Notes = secretNotes(p.Scenario, entry.Parts()) // the notes of the whole plan are about its load
		for _, held := range p.Policies {
			one.Notes = append(one.Notes, heldTo(held))
		}
		if entry.Detect != nil {
			entry.Detect = nil
			one.Notes = append(one.Notes, "the monitoring is not asked whether it notices the fault: that is judged in a run")
		}
		if why := p.unjudged(); why != "" {
			return nil, errors.New(why)
		}
		return &one, nil
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("there is no fault %q: the scenario has none", name)
	}
	return nil, fmt.Errorf("there is no fault %q; %s", name, syntax.DidYouMean(name, names))
}

// unjudged explains why a policy forbids a fault without load: the policy requires something that only load can show.
func (p *Plan) unjudged() string {
	for _, held := range p.Policies {
		for i, r := range held.Require {
			if r == policies.RequireSteady || r == policies.RequireStop {
				return fmt.Sprintf("%s requires `%s`, and without load there is nothing to judge it by", held.Item("require", i), r)
			}
		}
	}
	return ""
}

// A Bare is a fault without a scenario: a kind with its settings.
type Bare struct {
	Kind     string
	Settings []string // key=value, including those of its time
	Listen   string   // address where brunt's own link listens, for a fault on links
	To       string   // the address that the link leads to
	Allow    []string // other addresses that the link may lead to, as in guard.allow.load
	Policies []*policies.Policy
}

// bareTiming are the time settings available without a timeline.
var bareTiming = []string{"for", "within"}

// CompileBare makes a plan of a single fault. The error is a [syntax.MistakesError] with every
// mistake found.
func CompileBare(b Bare) (*Plan, error) {
	m := &syntax.Mistakes{}
	timing, settings := SplitArguments(b.Settings, m)
	timing, others := timing.Split(bareTiming)
	for _, o := range others.Fields {
		m.Add(o.Pos, "%q needs a timeline; a single fault is injected at once, and once", o.Key)
	}
	at := syntax.Pos{File: b.Kind}
	sc := &scenarios.Scenario{
		Name: b.Kind, Secrets: &template.Secrets{}, Symbols: &template.Symbols{}, Seed: 1, SeedGiven: true,
		Guard: scenarios.Guard{OnNoUnit: "fail", Allow: scenarios.Allow{Load: b.Allow}},
	}
	p := &Plan{Scenario: sc, Scope: chaos.Scope{Services: map[string]int{}}}
	c := newCompiler(p, CompileOptions{Policies: b.Policies}, m)
	p.LoadAllowlist = allow.New(allow.Load, sc, b.Policies, m)
	p.ChaosAllowlist = allow.New(allow.Chaos, sc, b.Policies, m)
	p.Scope.Host, p.Scope.LookUp = p.ChaosAllowlist.CheckURL(nil), allow.PolicyNames(b.Policies)
	openLink(p, m, b)
	f := scenarios.Fault{Name: b.Kind, Place: syntax.Place{At: at}}
	syntax.Decode(timing, &f, m)
	zero := quantity.Duration(0)
	f.At = &zero
	settings.Pos = at
	linked := OnLink(b.Kind, settings)
	if linked && settings.Get("from") == nil && settings.Get("to") == nil { // there is only one link
		settings.Fields = append(settings.Fields,
			syntax.Field{Key: "to", Pos: at, Value: &syntax.Node{Kind: syntax.String, Value: chaos.TargetName, Pos: at}})
	}
	f.Block = syntax.Block{Kind: b.Kind, Pos: at, With: settings}
	e := &timeline.Entry{Fault: f, Kind: b.Kind}
	if d, ok := syntax.Resolve(f.Block, catalog.Kinds(), m); ok {
		e.Damage = d
		switch {
		case linked && b.To == "":
			m.AddHint(at, "--listen 127.0.0.1:9001 --to 127.0.0.1:9000 has brunt open one; point the client to it",
				"%s acts on a link, and none is given", b.Kind)
		case !linked && b.To != "":
			m.Add(syntax.Pos{File: "--to"}, "%s does not act on a link", b.Kind)
		default:
			d.Check(at, (&faultCompiler{plan: p, m: m}).scopeOf(&f), m)
		}
	}
	p.Faults = []*timeline.Entry{e}
	checkTiming(p, m, e)
	checkEngine(p, m)
	c.policies()
	if why := p.unjudged(); why != "" {
		m.Add(at, "%s", why)
	}
	return p, m.Err()
}

// openLink resolves the link of a bare fault.
func openLink(p *Plan, m *syntax.Mistakes, b Bare) {
	if b.Listen != "" {
		host, _, err := net.SplitHostPort(b.Listen)
		ip, perr := netip.ParseAddr(host)
		if err != nil || host != "localhost" && (perr != nil || !ip.IsLoopback()) {
			m.AddHint(syntax.Pos{File: "--listen"}, "such as 127.0.0.1:9001", "%q is not a port of this machine's loopback",
				b.Listen)
		}
		if b.To == "" {
			m.Add(syntax.Pos{File: "--listen"}, "--listen needs --to, the address that the link leads to")
		}
	}
	if b.To == "" {
		return
	}
	if _, _, err := net.SplitHostPort(b.To); err != nil {
		m.AddHint(syntax.Pos{File: "--to"}, "such as 127.0.0.1:9000", "%q is not a host:port", b.To)
		return
	}
	if err := p.LoadAllowlist.CheckTarget(&url.URL{Scheme: "http", Host: b.To}); err != nil {
		m.AddHint(syntax.Pos{File: "--to"}, "--allow names it", "%v", err)
	}
	p.Listen, p.Upstream, p.Scope.External = b.Listen, b.To, b.To
	p.Scenario.Target.Place = syntax.Place{At: syntax.Pos{File: "--to"}}
	p.Scope.Edges = []chaos.EdgeName{{From: chaos.LoadName, To: chaos.TargetName}}
}
