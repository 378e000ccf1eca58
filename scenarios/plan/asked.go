package plan

import (
	"net/url"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/syntax"
)

// AskedValue is the variable that a step of a question extracts as its value.
const AskedValue = "value"

// asked compiles the step of a question. A nil n means that the question has no step.
func (c *stepCompiler) asked(n *syntax.Node) {
	if n == nil || n.Bad {
		return
	}
	if steps, whole := c.beside([]*syntax.Node{n}, ""); whole && steps[0].Call == nil {
		c.m.AddHint(n.Pos, "such as {get: /role}", "a pause asks nothing")
	} else if whole {
		c.plan.Asked[n] = steps
		c.plan.Scenario.Symbols.Var(AskedValue) // the run looks it up
	}
}

// askUnits notes that brunt asks units of the target, which takes rights if they are pods.
func (p *Plan) askUnits() {
	if k := p.Scenario.Target.Kubernetes; k != nil {
		k.Asks = true
	}
}

// questions compiles the steps with which a fault asks units for their role, and for its own effect.
func (c *stepCompiler) questions(d chaos.Fault) {
	t := d.Traits(chaos.Scope{})
	if t.Asks != nil {
		c.asked(t.Asks.AsksStep())
		c.plan.askUnits()
	}
	for _, step := range t.Steps {
		c.asked(step)
	}
	for _, s := range t.Acts {
		c.acts(s)
	}
}

// acts compiles the steps with which a fault acts, in a session of their own. Like calls of faults, they may only go
// to addresses that faults may reach.
func (c *stepCompiler) acts(s chaos.Sequence) {
	c.flow.Holds = !s.Kept
	steps, whole := c.beside(s.Steps.Items, s.At)
	if c.flow.Holds = false; !whole {
		return
	}
	c.plan.Asked[s.Steps] = steps
	for i, step := range steps {
		if step.Call == nil {
			continue
		}
		to := &c.plan.Scenario.Target.URL.Template
		if _, name := c.plan.Protocols.Goes(step.Call, c.plan.Scenario.Target.Endpoints); name != "" {
			endpoint := c.plan.Scenario.Target.Endpoints[name]
			to = &endpoint.Template
		}
		text, static := to.Static()
		if u, err := url.Parse(text); static && err == nil && u.Host != "" {
			if err := c.plan.ChaosAllowlist.CheckURL(nil)(u); err != nil {
				c.m.Add(s.Steps.Items[i].Pos, "%v", err)
			}
		}
	}
}

// beside compiles a sequence of steps outside of the load. Steps that name no endpoint go to at, or, if at is empty,
// to the only endpoint of their protocol.
func (c *stepCompiler) beside(list []*syntax.Node, at string) ([]load.Step, bool) {
	before := c.m.Len()
	steps := make([]scenarios.Step, len(list))
	for i, n := range list {
		s := &steps[i]
		if s.DecodeNode(n, c.m); s.At == nil && at != "" {
			s.At = &syntax.Node{Kind: syntax.String, Value: at, Pos: n.Pos}
		}
	}
	sound := c.m.Len() == before
	out, whole := c.compile(steps, unmeasured, new(scenarios.Load))
	return out, whole && sound
}
