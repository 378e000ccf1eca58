package plan

import (
	"brunt/chaos/probe"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// A Readiness is the question whether a service, or a target that already runs, is ready.
type Readiness struct {
	Service string // empty means the target
	*probe.Ready
}

// readiness resolves the ready blocks that have a question. It reports whether they have no mistake.
func (c *compiler) readiness() bool {
	before := c.m.Len()
	if r := c.sc.Target.Ready; c.plan.Stack == nil && r != nil && r.Question != nil {
		c.targetReady(r.Question)
	} else if c.plan.Stack != nil {
		c.serviceReady()
	}
	return c.m.Len() == before
}

// serviceReady resolves the questions to the services that brunt starts.
func (c *compiler) serviceReady() {
	seen := map[*syntax.Node]bool{}
	for i := range c.plan.Stack.Services {
		s := &c.plan.Stack.Services[i]
		n := s.Ready.Question
		if n == nil {
			continue
		}
		m := c.m
		if seen[n] {
			m = new(syntax.Mistakes) // they are reported already
		}
		seen[n] = true
		if r := new(probe.Ready); decoded(n, r, m) {
			r.Check(c.plan.questions(), s.Container == nil || s.Port != 0, m)
			if len(r.Exec.Args) > 0 && !c.plan.Scope.Containers {
				m.AddHint(r.Of("exec"), "`command` is run on this machine",
					"exec is run in the container of a unit, and %s is a process", s.Name)
			}
			c.steps.asked(r.Ask)
			c.plan.Readiness = append(c.plan.Readiness, Readiness{s.Name, r})
		}
	}
}

// targetReady resolves the question to a target that already runs. If the question is a path, the steps of
// [readySteps] request it as the load would.
func (c *compiler) targetReady(n *syntax.Node) {
	r := new(probe.Ready)
	if !decoded(n, r, c.m) {
		return
	}
	r.Check(c.plan.questions(), true, c.m)
	switch {
	case len(r.Exec.Args) > 0:
		c.m.AddHint(r.Of("exec"), "`command` is run on this machine",
			"exec is run in the container of a unit, and the target is a URL")
	case r.Kind() == "scrape" && r.Relative() && c.plan.Scope.Encrypted:
		c.m.Add(r.Of("scrape"), "a page of a target with TLS is a whole URL, such as https://127.0.0.1:8443/metrics")
	case c.plan.Scope.External == "" && !c.targetUnknown:
		c.m.Add(r.At, "`ready` asks the target, and it has no url")
	}
	c.steps.asked(r.Ask)
	if !c.targetUnknown {
		noteMissingURL(c.plan, c.m, c.plan.Asked[r.Ask]...)
	}
	c.plan.Readiness = append(c.plan.Readiness, Readiness{Ready: r})
}

// decoded decodes a node and reports whether it has no mistake.
func decoded(n *syntax.Node, into any, m *syntax.Mistakes) bool {
	before := m.Len()
	syntax.Decode(n, into, m)
	return m.Len() == before
}

// ReadyOf returns the question whether a service is ready; "" means the target. It returns nil if there is none.
func (p *Plan) ReadyOf(service string) *probe.Ready {
	for _, r := range p.Readiness {
		if r.Service == service {
			return r.Ready
		}
	}
	return nil
}

// readySteps returns the requests that check whether a running target is ready. They use the load's own network
// settings: TLS, names and blast radius.
func readySteps(t *scenarios.Target) []scenarios.Step {
	if t.Ready == nil || t.Kind() != "url" {
		return nil
	}
	r := t.Ready
	url, at := &syntax.Node{Kind: syntax.String, Value: r.Get, Pos: r.Of("get")}, r.Of("get")
	with := &syntax.Node{Kind: syntax.Map, Pos: at}
	if q := r.Question; q != nil {
		if url = q.Get("get"); url == nil {
			url = q.Get("path")
		}
		if url == nil {
			return nil
		}
		at = url.Pos
		with.Pos = at
		for _, f := range q.Fields {
			if f.Key == "headers" || f.Key == "check" {
				with.Fields = append(with.Fields, f)
			}
		}
	} else if r.Get == "" {
		return nil
	}
	with.Fields = append([]syntax.Field{{Key: "get", Pos: at, Value: url}}, with.Fields...)
	return []scenarios.Step{{Pos: at, With: with}}
}
