package plan

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/load"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/dial"
)

// compileEndpoints checks the URLs of the target's endpoints, as far as they are known before it runs.
func compileEndpoints(p *Plan, m *syntax.Mistakes) {
	all := p.Scenario.Target.Endpoints
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t := all[name]
		scheme := schemeOf(t.Text())
		if field := p.Protocols.FieldScheme(scheme); field != scheme {
			t.ReplaceBegin(scheme, field)
			all[name], scheme = t, field
		}
		end := chaos.Endpoint{Name: name}
		if !syntax.IsName(name) {
			m.Add(t.At, "%q can't name an endpoint: a-z, 0-9 and -, beginning with a letter", name)
		}
		text, static := t.Static()
		if t.At == (syntax.Pos{}) { // its value is missing, which is already reported
			continue
		}
		if !static {
			for _, r := range t.Refs() {
				if r.Kind != syntax.RefUnit {
					m.AddHint(t.At, "such as redis://${unit.cache.addr}", "${%s} is not known to an endpoint", r.Text)
				}
			}
			text = t.Text()
		}
		if err := checkScheme(p.Protocols, text); err != nil {
			m.AddHint(t.At, cmp.Or(syntax.DidYouMean(scheme, p.Protocols.Schemes()), "such as http://127.0.0.1:8080"),
				"the endpoint %q: %v", name, err)
			continue
		}
		if several := targets.HostList(text); several != "" {
			m.AddHint(t.At, "each further host is a parameter of the URL: "+several,
				"the endpoint %q: its URL has a list of hosts", name)
			continue
		}
		checkSettings(p, m, name, text, t.Settings)
		end.Datagrams = p.Datagrams(text)
		if !static {
			end.NoLink = "it has the address of a unit; a fault names the unit or its service instead"
			p.Scope.Endpoints = append(p.Scope.Endpoints, end)
			continue
		}
		u, err := p.endpointURL(text)
		if err == nil {
			end.Addr, end.Carries = targets.HostPort(u), p.Protocols.Wire(u.Scheme).Formats
			end.HTTPS = u.Scheme == "https"
			end.EncryptedBy = p.Protocols.Encrypts(u)
			err = p.checkTarget(u)
		}
		if err != nil {
			m.Add(t.At, "the endpoint %q: %v", name, err)
		}
		p.Scope.Endpoints = append(p.Scope.Endpoints, end)
	}
	declareLinks(&p.Scope)
}

// declareLinks declares the links from the load to endpoints. Each address has at most one link, because the address
// that the load uses selects the link.
func declareLinks(sc *chaos.Scope) {
	for i := range sc.Endpoints {
		e := &sc.Endpoints[i]
		same := slices.IndexFunc(sc.Endpoints,
			func(o chaos.Endpoint) bool { return o.Name != e.Name && o.Addr == e.Addr && e.Addr != "" })
		switch {
		case e.NoLink != "":
		case e.Addr != "" && e.Addr == sc.External:
			e.NoLink = "it is at the address of the target; write `to: target`"
		case same >= 0:
			e.NoLink = fmt.Sprintf("it is at the same address as the endpoint %q", sc.Endpoints[same].Name)
		default:
			sc.Edges = append(sc.Edges, chaos.EdgeName{From: chaos.LoadName, To: e.Name})
		}
	}
}

// UsedEndpoints returns the sorted names of the endpoints that steps of the plan go to.
func (p *Plan) UsedEndpoints() []string {
	calls := slices.Concat(load.Calls(slices.Concat(p.Ready, p.Setup, p.Teardown)), p.loadCalls())
	for _, l := range p.Ledgers {
		calls = append(calls, l.Calls()...)
	}
	for _, steps := range p.Asked {
		calls = append(calls, load.Calls(steps)...)
	}
	for _, d := range p.Deliveries {
		calls = append(calls, d.Ask.Calls()...)
	}
	return p.endpointsOf(calls)
}

// SetupEndpoints returns the sorted names of the endpoints that steps before the load go to.
func (p *Plan) SetupEndpoints() []string {
	calls := load.Calls(slices.Concat(p.Ready, p.Setup))
	for _, d := range p.Deliveries { // they are asked before the load
		calls = append(calls, d.Ask.Calls()...)
	}
	return p.endpointsOf(calls)
}

// LoadEndpoints returns the sorted names of the endpoints that a load goes to, but no step before the load.
func (p *Plan) LoadEndpoints() []string {
	before := p.SetupEndpoints()
	return slices.DeleteFunc(p.endpointsOf(p.loadCalls()), func(name string) bool { return slices.Contains(before, name) })
}

func (p *Plan) loadCalls() (calls []scenarios.Call) {
	for i := range p.Loads {
		calls = append(calls, p.Loads[i].Calls()...)
	}
	return calls
}

// endpointsOf returns the names of the endpoints that calls go to, sorted.
func (p *Plan) endpointsOf(calls []scenarios.Call) []string {
	all := p.Scenario.Target.Endpoints
	if len(all) == 0 {
		return nil
	}
	used := map[string]bool{}
	for _, call := range calls {
		if _, name := p.Protocols.Goes(call, all); name != "" {
			used[name] = true
		}
	}
	return slices.Sorted(maps.Keys(used))
}

// checkUpstreams finds the addresses to which links from the load to endpoints lead, using the loads' own resolve.
func checkUpstreams(p *Plan, m *syntax.Mistakes) {
	for _, e := range p.Scope.Endpoints {
		if hit, _ := p.NeedsLink(chaos.LoadName, e.Name); !hit || e.NoLink != "" {
			continue
		}
		t := p.Scenario.Target.Endpoints[e.Name]
		first := ""
		for i := range p.Loads {
			lp := &p.Loads[i]
			checkOnePlace(lp, e.Addr, m)
			to := allow.Resolved(e.Addr, lp.Resolve)
			if first = cmp.Or(first, to); to != first {
				m.Add(lp.Of("resolve"),
					"load %q reaches the endpoint %q at %s and load %q at %s, and a fault is on the one link between load "+
						"and endpoint", lp.Name, e.Name, to, p.Loads[0].Name, first)
			}
			text, _ := t.Static()
			u, err := url.Parse(text)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" { // proxies are for HTTP
				continue
			}
			if via, err := dial.Via(p.ProxiesOf(&lp.Load), u, lp.Resolve); err == nil && via != nil {
				m.Add(lp.Connections.Of("proxy"),
					"load %q reaches the endpoint %q by the proxy %s, and a fault is on the link between load and "+
						"endpoint, which goes there directly", lp.Name, e.Name, via.Host)
			}
		}
	}
}

// EndpointUpstream returns the host:port to which the link to an endpoint leads, as the first load reaches it.
func (p *Plan) EndpointUpstream(e chaos.Endpoint) string {
	if len(p.Loads) == 0 {
		return e.Addr
	}
	return allow.Resolved(e.Addr, p.Loads[0].Resolve)
}

// HopTo returns the host:port that the first load connects to for an endpoint with a URL.
func (p *Plan) HopTo(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	if len(p.Loads) == 0 {
		return targets.HostPort(u), nil
	}
	lp := &p.Loads[0]
	if u.Scheme == "http" || u.Scheme == "https" {
		if via, err := dial.Via(p.ProxiesOf(&lp.Load), u, lp.Resolve); err == nil && via != nil {
			return targets.HostPort(via), nil
		}
	}
	return allow.Resolved(targets.HostPort(u), lp.Resolve), nil
}

// checkSettings notes mistakes in the settings of an endpoint, which its protocol reads with the steps.
func checkSettings(p *Plan, m *syntax.Mistakes, name, url string, n *syntax.Node) {
	if n == nil {
		return
	}
	scheme := schemeOf(url)
	for _, d := range p.Protocols.Protocols() {
		switch {
		case !slices.Contains(d.Schemes, scheme):
		case d.Endpoint != nil:
			syntax.Decode(n, reflect.New(d.Endpoint).Interface(), m)
		case len(n.Fields) > 0:
			m.Add(n.Fields[0].Pos, "the endpoint %q has a url alone: %s has no settings of endpoints", name, d.Name)
		}
	}
}

// Datagrams reports whether connections to a URL are datagrams of UDP, so that nothing can be connected to.
func (p *Plan) Datagrams(url string) bool {
	return p.Protocols.Wire(schemeOf(url)).Datagrams
}

// schemeOf returns the scheme of a URL, which may have references to other units.
func schemeOf(url string) string {
	scheme, _, _ := strings.Cut(url, "://")
	return scheme
}

// checkScheme refuses a URL that no protocol speaks.
func checkScheme(of *targets.Set, text string) error {
	scheme := schemeOf(text)
	if schemes := of.Schemes(); !slices.Contains(schemes, scheme) {
		return fmt.Errorf("no protocol speaks %q; there are %s", scheme, strings.Join(schemes, ", "))
	}
	return nil
}

// endpointURL parses a URL of any protocol. Only URLs of HTTP may omit the port.
func (p *Plan) endpointURL(text string) (*url.URL, error) {
	if err := checkScheme(p.Protocols, text); err != nil {
		return nil, err
	}
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return syntax.ParseURL(text)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not a URL", p.Scenario.Secrets.Mask(text))
	case u.Hostname() == "" || syntax.CheckPort(u.Port()) != nil || u.Port() == "":
		return nil, fmt.Errorf("%q has no host with a port: %s://HOST:PORT", u.Redacted(), u.Scheme)
	}
	return u, nil
}

// compileEndpointsAlone resolves a target without a URL of its own. If it has only one endpoint, that takes the place
// of the URL: faults hit the link to it as the link to the target.
func compileEndpointsAlone(p *Plan, m *syntax.Mistakes, t *scenarios.Target) {
	if len(t.Endpoints) == 1 {
		for _, e := range t.Endpoints {
			text, _ := e.Static()
			if u, err := p.endpointURL(text); err == nil { // otherwise endpoints reports it
				noteReached(p, u)
				p.Scope.Edges = []chaos.EdgeName{{From: chaos.LoadName, To: chaos.TargetName}}
			}
		}
	}
	chooseContainers(p, m, t)
	compileCluster(p, m, t)
}

// checkOwnURL refuses a step of the loads, or around them, that goes to none of the endpoints, if the target has no URL
// for it.
func checkOwnURL(p *Plan, m *syntax.Mistakes) {
	steps := slices.Concat(p.Ready, p.Setup, p.Teardown)
	scripted := false
	for i := range p.Loads {
		scripted = scripted || p.Loads[i].Script != nil
		steps = append(steps, p.Loads[i].Prelude...)
		for _, f := range p.Loads[i].Flows {
			steps = append(steps, f.Steps...)
		}
	}
	if scripted && p.Scenario.Target.OnlyEndpoints() {
		scenarios.NoteMissingTarget(p.Scenario.Target.At, m)
		return
	}
	noteMissingURL(p, m, steps...)
}

// noteMissingURL notes the first step that goes to none of the endpoints and can't go to the target's own URL: the
// target has no URL, or the protocol of the step does not speak it.
func noteMissingURL(p *Plan, m *syntax.Mistakes, steps ...load.Step) {
	t := &p.Scenario.Target
	for _, s := range steps {
		if s.Call == nil { // a pause
			continue
		}
		d, endpoint := p.Protocols.Goes(s.Call, t.Endpoints)
		switch only := t.OnlyEndpoints(); {
		case endpoint != "", !only && (d.Base || d.OverHTTP):
			continue
		case d.Base:
			scenarios.NoteMissingTarget(t.At, m)
		default:
			m.AddHint(t.Of("endpoints"), "such as endpoints: {main: "+d.Schemes[0]+"://127.0.0.1:7}", "no endpoint speaks %s",
				d.Name)
		}
		return
	}
}

// Endpoints returns the URLs of the target's endpoints by name, with the addresses of units filled
// in from env. It leaves out those whose unit has no address yet.
func (p *Plan) Endpoints(env *template.Env) map[string]string {
	out := map[string]string{}
	for name, t := range p.Scenario.Target.Endpoints {
		if text, err := t.Append(nil, &template.Iter{Env: env}); err == nil {
			out[name] = string(text)
		}
	}
	return out
}

// UnitURL returns the URL at which a call of a plan reaches a unit by its host:port. Other parts of the URL of the
// call's endpoint, such as a user, are used for the unit as well, if the protocol of the call supports that.
func UnitURL(p *Plan, call scenarios.Call, addr string) string {
	d, name := p.Protocols.Goes(call, p.Scenario.Target.Endpoints)
	if d.OfUnit != nil && name != "" {
		t := p.Scenario.Target.Endpoints[name]
		units := template.Env{Units: map[string]string{}} // addresses that are not known yet do not matter
		for _, r := range t.Refs() {
			units.Units[r.Text] = addr
		}
		if text, err := t.Append(nil, &template.Iter{Env: &units}); err == nil {
			if u, err := url.Parse(string(text)); err == nil {
				return d.OfUnit(u, addr)
			}
		}
	}
	return d.Schemes[0] + "://" + addr
}
