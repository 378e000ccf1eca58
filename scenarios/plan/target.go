package plan

import (
	"context"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/platform"
	"brunt/targets/platform/compose"
)

// system resolves the target: services that brunt starts, or the URL of a running system.
func (c *compiler) system() {
	t := &c.sc.Target
	c.plan.Scope = chaos.Scope{
		Services: map[string]int{}, AtPort: chaos.Ports{}, Host: c.plan.ChaosAllowlist.CheckURL(nil),
		LookUp: allow.PolicyNames(c.o.Policies),
	}
	for _, w := range c.plan.Protocols.Wires() {
		if w.Port > 0 {
			c.plan.Scope.AtPort[w.Port] = w.Formats
		}
	}
	switch {
	case t.Processes != nil:
		spec := platform.Processes(t.Processes, t.Entry, c.m)
		c.plan.Stack = &spec
	case t.Containers != nil:
		spec := platform.Containers(t.Containers, t.Entry, c.m)
		c.plan.Stack = &spec
	case t.Compose != nil && !c.mayStart(t.Of("compose"), "the target is started by a Compose file"):
	case t.Compose != nil:
		spec := compose.Read(t.Compose, t.Entry, c.m)
		c.plan.Stack = &spec
	case t.Stack != "":
		c.builtin(t)
	case !t.URL.IsZero():
		compileExternal(c.plan, c.m, t)
	case t.OnlyEndpoints():
		compileEndpointsAlone(c.plan, c.m, t)
	}
	if c.plan.Stack == nil {
		return
	}
	if t.Entry != "" {
		c.plan.Stack.Entry = t.Entry
	}
	if c.plan.Stack.Service(c.plan.Stack.Entry) == nil && c.plan.Stack.Entry != "" {
		c.m.AddHint(t.Of("entry"), syntax.DidYouMean(t.Entry, c.plan.Stack.Names()), "there is no service %q", t.Entry)
	}
	c.plan.Scope.Zones = c.plan.Stack.Zones()
	c.plan.Scope.Containers = c.plan.Stack.Platform == platform.Docker
	for i := range c.plan.Stack.Services {
		s := &c.plan.Stack.Services[i]
		c.plan.Scope.Services[s.Name] = s.Replicas
		if s.Restart == "never" {
			c.plan.Scope.Unsupervised = append(c.plan.Scope.Unsupervised, s.Name)
		}
		for _, to := range s.Links {
			if c.plan.Stack.Platform != "" {
				continue // brunt has no proxy between containers, nor between pods
			}
			c.plan.Scope.Edges = append(c.plan.Scope.Edges, chaos.EdgeName{From: s.Name, To: to})
		}
		if t.Ready != nil && s.Name == c.plan.Stack.Entry {
			s.Ready = *t.Ready
		}
	}
	if c.plan.Stack.Platform != platform.Kubernetes || !c.sc.Workers.Elsewhere() { // brunt's own proxy is on this machine
		c.plan.Scope.Edges = append(c.plan.Scope.Edges, chaos.EdgeName{From: chaos.LoadName, To: c.plan.Stack.Entry})
	}
}

func (c *compiler) builtin(t *scenarios.Target) {
	kinds := platform.Kinds()
	if kinds[t.Stack] == nil {
		c.m.AddHint(t.Of("stack"), syntax.DidYouMean(t.Stack, slices.Sorted(maps.Keys(kinds))),
			"there is no built-in stack %q", t.Stack)
		return
	}
	b, ok := syntax.Resolve(syntax.Block{Kind: t.Stack, Pos: t.Of("with"), With: t.With}, kinds, c.m)
	if !ok {
		return
	}
	spec := b.Spec(c.o.Self)
	if t.Platform == platform.Docker || t.Platform == platform.Kubernetes {
		spec = b.Spec(nil).Contained(t.Platform)
	}
	for _, zone := range spec.Zones() {
		if !syntax.IsName(zone) {
			c.m.Add(t.Of("with"), "%q can't name a zone: a-z, 0-9 and -, beginning with a letter", zone)
			break
		}
	}
	checkStackOnPods(c.plan, c.m, t, &spec)
	c.plan.Stack = &spec
}

// compileExternal resolves the URL of a system that already runs.
func compileExternal(p *Plan, m *syntax.Mistakes, t *scenarios.Target) {
	p.Scope.Edges = []chaos.EdgeName{{From: chaos.LoadName, To: chaos.TargetName}}
	text, static := t.URL.Static()
	if !static {
		for _, r := range t.URL.Refs() {
			m.Add(t.Of("url"), "${%s} is not known for a target that runs already", r.Text)
		}
		return
	}
	u, err := targets.ParseBase(text)
	if err != nil {
		hint := "such as http://127.0.0.1:8080"
		if scheme := schemeOf(text); syntax.IsName(scheme) && !strings.HasPrefix(scheme, "http") {
			hint = elsewhere(p.Protocols.Schemes(), scheme)
		}
		m.AddHint(t.Of("url"), hint, "%v", err)
		return
	}
	if err := p.checkTarget(u); err != nil {
		m.Add(t.Of("url"), "%v", err)
	}
	noteReached(p, u)
	chooseContainers(p, m, t)
	compileCluster(p, m, t)
}

// noteReached records where the load reaches a target that already runs.
func noteReached(p *Plan, u *url.URL) {
	p.Scope.External, p.Scope.Encrypted = targets.HostPort(u), p.Protocols.Wire(u.Scheme).TLS
}

// elsewhere says what to do with a URL of a scheme that target.url does not take.
func elsewhere(schemes []string, scheme string) string {
	if slices.Contains(schemes, scheme) {
		return "a URL of " + scheme + " goes under target.endpoints, such as endpoints: {main: " + scheme + "://127.0.0.1:7}"
	}
	return "brunt speaks " + strings.Join(schemes, ", ")
}

// findUpstream finds the address to which a link from the load to a running target leads, using the
// loads' own resolve.
func findUpstream(p *Plan, m *syntax.Mistakes) {
	p.Upstream = p.Scope.External
	if hit, _ := p.NeedsLink(chaos.LoadName, chaos.TargetName); !hit || p.Stack != nil || p.Upstream == "" {
		return
	}
	for i := range p.Loads {
		lp := &p.Loads[i]
		checkOnePlace(lp, p.Scope.External, m)
		to := allow.Resolved(p.Scope.External, lp.Resolve)
		if i > 0 && to != p.Upstream {
			m.Add(lp.Of("resolve"),
				"load %q reaches the target at %s and load %q at %s, and a fault is on the one link between load "+
					"and target", lp.Name, to, p.Loads[0].Name, p.Upstream)
		}
		p.Upstream = to
	}
}

// checkOnePlace notes a mistake if a load reaches an address at several places by its `resolve`, and a fault is on the
// link to it: a link leads to one place.
func checkOnePlace(lp *Load, hostport string, m *syntax.Mistakes) {
	if all := allow.ResolvedAll(hostport, lp.Resolve); len(all) > 1 {
		m.Add(lp.Of("resolve"),
			"load %q reaches %s at %d places, and a fault is on the link to it, which leads to one place", lp.Name, hostport,
			len(all))
	}
}

// checkEntries checks the setting `entries` of a load, for a target whose entry has an address for each replica.
func (c *compiler) checkEntries(l *scenarios.Load) {
	p := c.plan
	switch at := l.Connections.Of("entries"); {
	case l.Connections.Entries != scenarios.AllEntries:
	case p.Stack == nil:
		c.m.AddHint(at, `such as resolve: {"shop.test:80": "10.0.0.5:80, 10.0.0.6:80"}`,
			"entries are replicas of a service that brunt starts; `resolve` gives the addresses of a target that already runs")
	case p.Stack.OnPods():
		c.m.Add(at, "on Kubernetes the Service of the entry shares the connections among its pods; leave entries out")
	default:
		if hit, _ := p.NeedsLink(chaos.LoadName, syntax.UnitName(p.Stack.Entry, 0)); hit {
			c.m.Add(at, "a fault is on the link from the load to %s, which leads to its first replica alone; leave entries or "+
				"the fault out", p.Stack.Entry)
		}
	}
}

// Reach returns the addresses of host:port, the first hop of the first load, that the load may reach; at least one, or
// an error.
func (p *Plan) Reach(ctx context.Context, hostport string) (within []netip.AddrPort, err error) {
	o := targets.Options{Allow: p.LoadAllowlist}
	if len(p.Loads) > 0 {
		o.Connections = p.Loads[0].Connections
	}
	addrs, name, err := dial.Lookup(ctx, o, hostport)
	if err != nil {
		return nil, err
	}
	if len(p.Loads) > 0 && dial.Gives(p.Loads[0].Resolve, hostport) {
		name = ""
	}
	for _, to := range addrs {
		if refused := p.LoadAllowlist.CheckAddr(to, name); refused != nil {
			err = refused
			continue
		}
		within = append(within, to)
	}
	if len(within) > 0 {
		err = nil
	}
	return within, err
}

// declared checks the names of the declared dependencies: services, endpoints, and the target if it has no services.
func declared(c *compiler) {
	known := slices.Sorted(maps.Keys(c.plan.Scope.Services))
	for _, e := range c.plan.Scope.Endpoints {
		known = append(known, e.Name)
	}
	if len(c.plan.Scope.Services) == 0 {
		known = append(known, chaos.TargetName)
	}
	for _, name := range slices.Sorted(maps.Keys(c.sc.Dependencies)) {
		if !slices.Contains(known, name) {
			c.m.AddHint(c.sc.Root.Get("dependencies").Get(name).Pos, syntax.DidYouMean(name, known), "there is no service %q",
				syntax.Clip(name, 40))
		}
	}
}

// entry returns the host:port of relative paths, as far as known.
func (p *Plan) entry() string {
	if p.Stack != nil {
		return p.Stack.Entry
	}
	return p.Scope.External
}
