package plan

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"os"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/syntax"
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

// SetupLoad returns a load with the network settings of the first load, which are also used for setup, teardown,
// tokens and the check of readiness.
func (p *Plan) SetupLoad() *scenarios.Load {
	if len(p.Scenario.Loads) == 0 {
		return new(scenarios.Load)
	}
	first := &p.Scenario.Loads[0]
	return &scenarios.Load{Resolve: first.Resolve, Connections: first.Connections}
}

// ProxiesOf returns the proxies of a load of the plan.
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

// host returns a check that refuses a URL that is known to lie outside the blast radius, as the load reaches it. With
// a proxy, both the proxy and the host must be allowed.
func (p *Plan) host(l *scenarios.Load) func(u *url.URL) error {
	by, resolve := p.ProxiesOf(l), l.Resolve
	return func(u *url.URL) error {
		via, err := dial.Via(by, u, resolve)
		quic := l.Connections.HTTP == scenarios.HTTP3
		switch {
		case err != nil:
			return err
		case quic && u.Scheme == "http":
			return fmt.Errorf("HTTP/3 always has TLS, and %s is asked by http://; want https://", u.Host)
		case quic && via != nil:
			return fmt.Errorf("%s is reached by a proxy, and proxies don't pass HTTP/3 on", u.Host)
		case via == nil:
			return p.LoadAllowlist.CheckURL(resolve)(u)
		case u.Scheme == "http" && (l.Connections.HTTP == scenarios.HTTP2 || l.Connections.HTTP == scenarios.H2C):
			return fmt.Errorf("%s is reached by a proxy, and without TLS proxies don't pass HTTP/2 on", u.Host)
		}
		if err := p.LoadAllowlist.CheckURL(resolve)(via); err != nil && by.Fixed() == nil { // else already reported
			return fmt.Errorf("the proxy %s: %w", via.Host, err)
		}
		return targets.CheckProxied(p.LoadAllowlist, u)
	}
}

// checkTarget refuses a target that is known to lie outside the blast radius. It checks each load that
// uses a proxy, and all others together.
func (p *Plan) checkTarget(u *url.URL) error {
	direct := len(p.Scenario.Loads) == 0
	for i := range p.Scenario.Loads {
		l := &p.Scenario.Loads[i]
		via, err := dial.Via(p.ProxiesOf(l), u, l.Resolve)
		if err == nil && (via != nil || u.Scheme == "http" && l.Connections.HTTP == scenarios.HTTP3) {
			err = p.host(l)(u)
		}
		if err != nil {
			return fmt.Errorf("load %q: %w", l.Name, err)
		}
		direct = direct || via == nil
	}
	if !direct {
		return nil
	}
	return p.LoadAllowlist.CheckTarget(u)
}

// via returns the proxy through which load i reaches the target; nil if there is none, or none that is known before
// the target runs.
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

// FirstHop returns the host:port that the first load connects to for the target.
func (p *Plan) FirstHop() string {
	if len(p.Loads) == 0 {
		return p.Scope.External
	}
	if via := p.via(0); via != nil {
		return targets.HostPort(via)
	}
	return allow.Resolved(p.Scope.External, p.Loads[0].Resolve)
}

// checkProxied finds the loads that reach the target through a proxy, and refuses a fault on the link to the target
// for them, because brunt would have to bypass the proxy.
func checkProxied(p *Plan, m *syntax.Mistakes) {
	to := chaos.TargetName
	if p.Stack != nil {
		to = syntax.UnitName(p.Stack.Entry, 0)
	}
	linked, _ := p.NeedsLink(chaos.LoadName, to)
	for i := range p.Loads {
		lp := &p.Loads[i]
		via := p.via(i)
		switch {
		case via == nil:
		case linked:
			m.Add(lp.Connections.Of("proxy"),
				"load %q reaches the target by the proxy %s, and a fault is on the link between load and "+
					"target, which goes there directly", lp.Name, via.Host)
		case lp.Connections.Proxy == "env":
			p.Notes = append(p.Notes,
				fmt.Sprintf("load %q reaches the target by the proxy %s, which the environment names: "+
					"response times are those of both", lp.Name, via.Host))
		}
	}
}

// checkHTTP3 notes settings of a load that contradict HTTP/3, which has TLS 1.3 within QUIC.
func checkHTTP3(l *scenarios.Load, t *scenarios.TLS, m *syntax.Mistakes) {
	k := &l.Connections
	switch {
	case k.HTTP != scenarios.HTTP3:
	case t != nil && t.MaxVersion != 0 && t.MaxVersion < tls.VersionTLS13:
		m.Add(k.Of("http"), "HTTP/3 has TLS 1.3, and max_version of the target's tls is %s", t.MaxVersion)
	case l.Engine == "vegeta":
		m.AddHint(k.Of("http"), "without `engine` brunt sends the requests itself", "vegeta does not speak HTTP/3")
	}
}
