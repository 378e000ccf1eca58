package plan

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// endpoints checks the URLs of the target's endpoints, as far as they are known before it runs.
func (c *compiler) endpoints() {
	all := c.sc.Target.Endpoints
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t := all[name]
		if !syntax.IsName(name) {
			c.m.Add(t.At, "%q can't name an endpoint: a-z, 0-9 and -, beginning with a letter", name)
		}
		text, static := t.Static()
		if !static {
			for _, r := range t.Refs() {
				if r.Kind != syntax.RefUnit {
					c.m.AddHint(t.At, "such as redis://${unit.cache.addr}", "${%s} is not known to an endpoint", r.Text)
				}
			}
			text = t.Text()
		}
		if err := c.checkScheme(text); err != nil {
			c.m.AddHint(t.At, "such as http://127.0.0.1:8080", "the endpoint %q: %v", name, err)
			continue
		}
		if !static {
			continue
		}
		u, err := c.endpointURL(text)
		if err == nil {
			err = c.target(u)
		}
		if err != nil {
			c.m.Add(t.At, "the endpoint %q: %v", name, err)
		}
	}
}

// checkScheme refuses a URL that no protocol speaks.
func (c *compiler) checkScheme(text string) error {
	scheme, _, _ := strings.Cut(text, "://")
	if schemes := c.plan.Protocols.Schemes(); !slices.Contains(schemes, scheme) {
		return fmt.Errorf("no protocol speaks %q; there are %s", scheme, strings.Join(schemes, ", "))
	}
	return nil
}

// endpointURL parses a URL of any protocol. Only those of HTTP may leave their port out.
func (c *compiler) endpointURL(text string) (*url.URL, error) {
	if err := c.checkScheme(text); err != nil {
		return nil, err
	}
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return syntax.ParseURL(text)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is no URL", c.sc.Secrets.Mask(text))
	case u.Hostname() == "" || syntax.CheckPort(u.Port()) != nil || u.Port() == "":
		return nil, fmt.Errorf("%q has no host with a port", u.Redacted())
	}
	return u, nil
}

// An endpointCompiler compiles a target of endpoints alone.
type endpointCompiler struct{ *compiler }

// only resolves a target without a URL of its own. The only one of its endpoints takes the place of
// that: brunt waits until it accepts connections, and faults hit the link to it.
func (c endpointCompiler) only(t *scenarios.Target) {
	if len(t.Endpoints) == 1 {
		for _, e := range t.Endpoints {
			text, _ := e.Static()
			if u, err := c.endpointURL(text); err == nil { // else endpoints reports it
				c.plan.Scope.External, c.plan.Scope.TLS = targets.HostPort(u), u.Scheme == "https"
				c.plan.Scope.Edges = []chaos.EdgeName{{From: chaos.LoadName, To: chaos.TargetName}}
			}
		}
	}
	c.chosen(t)
}

// ownURL refuses a target of endpoints alone where a step goes to none of them.
func (c endpointCompiler) ownURL() {
	if !c.sc.Target.OnlyEndpoints() {
		return
	}
	steps := slices.Concat(c.plan.Ready, c.plan.Setup, c.plan.Teardown)
	scripted := false
	for i := range c.plan.Loads {
		scripted = scripted || c.plan.Loads[i].Script != nil
		for _, f := range c.plan.Loads[i].Flows {
			steps = append(steps, f.Steps...)
		}
	}
	if scripted {
		scenarios.NoteMissingTarget(c.sc.Target.At, c.m)
		return
	}
	c.lacksURL(steps...)
}

// lacksURL notes the first step that goes to none of the endpoints, and so needs a URL of the target.
func (c endpointCompiler) lacksURL(steps ...load.Step) {
	t := &c.sc.Target
	for _, s := range steps {
		d := c.plan.Protocols.OwnURL(s.Call, t.Endpoints)
		switch {
		case d == nil:
			continue
		case d.Base:
			scenarios.NoteMissingTarget(t.At, c.m)
		default:
			c.m.AddHint(t.Of("endpoints"), "such as endpoints: {main: "+d.Schemes[0]+"://127.0.0.1:7}", "no endpoint speaks %s", d.Name)
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
