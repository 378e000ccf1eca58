package plan

import (
	"fmt"
	"net/url"
	"os"

	"brunt/scenarios/syntax"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/platform"
)

// proxies resolves the proxy of each load, and marks proxy passwords as secrets.
func (c *compiler) proxies() {
	c.plan.Environ = c.o.Env
	if c.plan.Environ == nil {
		c.plan.Environ = os.LookupEnv
	}
	for i := range c.sc.Loads {
		k := &c.sc.Loads[i].Connections
		p, err := dial.NewProxies(k.Proxy, c.plan.Environ)
		if err != nil {
			c.m.Add(k.Of("proxy"), "%v", err)
			continue
		}
		if at := p.Fixed(); at != nil {
			if err := c.plan.LoadAllowlist.CheckURL(c.sc.Loads[i].Resolve)(at); err != nil {
				c.m.Add(k.Of("proxy"), "the proxy %s: %v", at.Host, err)
			}
		}
		for _, pw := range p.Passwords() {
			c.sc.Secrets.Add(pw)
		}
	}
}

// SetupLoad is the first load, whose network settings also serve setup, teardown, tokens and the
// check of readiness.
func (p *Plan) SetupLoad() *scenarios.Load {
	if len(p.Scenario.Loads) == 0 {
		return new(scenarios.Load)
	}
	first := &p.Scenario.Loads[0]
	return &scenarios.Load{Resolve: first.Resolve, Connections: first.Connections}
}

// ProxiesOf returns the proxies of a load that Compile has seen.
//
// Containers that brunt started have addresses of their own, so the environment's proxy is not used
// for them.
func (p *Plan) ProxiesOf(l *scenarios.Load) *dial.ProxySetting {
	environ := p.Environ
	if p.Stack != nil && p.Stack.Platform == platform.Docker {
		environ = func(string) (string, bool) { return "", false }
	}
	out, err := dial.NewProxies(l.Connections.Proxy, environ)
	if err != nil { // not a load of the plan
		return nil
	}
	return out
}

// host returns a check that refuses a URL known to lie outside the blast radius, as the load reaches
// it: with a proxy, both the proxy and the host count.
func (c *compiler) host(l *scenarios.Load) func(u *url.URL) error {
	by, resolve := c.plan.ProxiesOf(l), l.Resolve
	return func(u *url.URL) error {
		via, err := dial.Via(by, u, resolve)
		switch {
		case err != nil:
			return err
		case via == nil:
			return c.plan.LoadAllowlist.CheckURL(resolve)(u)
		case u.Scheme == "http" && (l.Connections.HTTP == scenarios.HTTP2 || l.Connections.HTTP == scenarios.H2C):
			return fmt.Errorf("%s is reached by a proxy, and without TLS proxies don't pass HTTP/2 on", u.Host)
		}
		if err := c.plan.LoadAllowlist.CheckURL(resolve)(via); err != nil && by.Fixed() == nil { // else already reported
			return fmt.Errorf("the proxy %s: %w", via.Host, err)
		}
		return targets.Allowlist(c.plan.LoadAllowlist.Check).CheckProxied(u)
	}
}

// target refuses a target that is known to lie outside the blast radius. It checks each load that
// uses a proxy, and all others together.
func (c *compiler) target(u *url.URL) error {
	direct := len(c.sc.Loads) == 0
	for i := range c.sc.Loads {
		l := &c.sc.Loads[i]
		via, err := dial.Via(c.plan.ProxiesOf(l), u, l.Resolve)
		if err == nil && via != nil {
			err = c.host(l)(u)
		}
		if err != nil {
			return fmt.Errorf("load %q: %w", l.Name, err)
		}
		direct = direct || via == nil
	}
	if !direct {
		return nil
	}
	return c.plan.LoadAllowlist.CheckTarget(u)
}

// via returns the proxy by which load i reaches the target; nil is none, or none known before the
// target runs.
func (p *Plan) via(i int) *url.URL {
	u := &url.URL{Scheme: "http", Host: "127.0.0.1"} // of a service that brunt starts
	if p.Stack == nil {
		text, _ := p.Scenario.Target.URL.Static()
		var err error
		if u, err = targets.ParseBase(text); err != nil {
			return nil
		}
	}
	via, err := dial.Via(p.ProxiesOf(&p.Loads[i].Load), u, p.Loads[i].Resolve)
	if err != nil {
		return nil
	}
	return via
}

// FirstHop is the host:port that the first load connects to for the target.
func (p *Plan) FirstHop() string {
	if len(p.Loads) == 0 {
		return p.Scope.External
	}
	if via := p.via(0); via != nil {
		return targets.HostPort(via)
	}
	return allow.Resolved(p.Scope.External, p.Loads[0].Resolve)
}

// proxied lists the loads that reach the target by a proxy, and refuses a fault on the link to the
// target for them: brunt would have to bypass the proxy.
func (c *compiler) proxied() {
	to := chaos.TargetName
	if c.plan.Stack != nil {
		to = syntax.UnitName(c.plan.Stack.Entry, 0)
	}
	linked, _ := c.plan.NeedsLink(chaos.LoadName, to)
	for i := range c.plan.Loads {
		lp := &c.plan.Loads[i]
		via := c.plan.via(i)
		switch {
		case via == nil:
		case linked:
			c.m.Add(lp.Connections.Of("proxy"),
				"load %q reaches the target by the proxy %s, and a fault is on the link between load and "+
					"target, which goes there directly", lp.Name, via.Host)
		case lp.Connections.Proxy == "env":
			c.plan.Notes = append(c.plan.Notes,
				fmt.Sprintf("load %q reaches the target by the proxy %s, which the environment names: "+
					"response times are those of both", lp.Name, via.Host))
		}
	}
}
