package plan

import (
	"fmt"
	"slices"

	"brunt/chaos/probe"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/connect"
	"brunt/scenarios/plan/policy"
	"brunt/scenarios/syntax"
)

// policies holds the plan to policies.
func (c *compiler) policies() {
	p := policy.Plan{
		Scenario: c.sc, Mistakes: c.m, Faults: slices.Concat(c.plan.Conditions, c.plan.Faults), Parts: c.plan.Parts(), Scope: c.plan.Scope,
		Containers: len(c.plan.Containers) > 0, Asks: asks(c.plan), TargetUnknown: c.targetUnknown,
	}
	for i := range c.plan.Loads {
		lp := &c.plan.Loads[i]
		p.Loads = append(p.Loads, policy.Load{Load: &lp.Load, Schedule: lp.Schedule, ScriptRate: lp.scriptRate(), ShapeAt: lp.shapeAt()})
	}
	c.plan.Policies = c.o.Policies
	c.plan.Notes = append(c.plan.Notes, p.Hold(c.o.Policies)...)
}

// asks lists what may run a command, but faults: metrics, watches, ready blocks, and steps of setup and teardown.
func asks(p *Plan) (out []*probe.Asking) {
	for i := range p.Gauges {
		out = append(out, &p.Gauges[i].Asking)
	}
	for i := range p.Watches {
		out = append(out, &p.Watches[i].Asking)
	}
	for i := range p.Readiness {
		out = append(out, &p.Readiness[i].Asking)
	}
	for _, o := range p.Commands() {
		out = append(out, o.Asking())
	}
	return out
}

// shapeAt is the position of a load's schedule.
func (lp *Load) shapeAt() syntax.Pos {
	if lp.Script != nil {
		return lp.Of(scenarios.ScriptKey)
	}
	return lp.Shape.Pos
}

// ChaosRules lists what faults that are calls may reach besides loopback: the scenario's list and
// those of policies, all of which must contain an address.
func (p *Plan) ChaosRules() [][]string {
	return p.AllowLists(allow.Chaos)
}

// MonitoringRules lists where the team's monitoring may be queried: any address that load or chaos
// may reach. Each list joins the load and chaos entries of one source; all lists must contain an
// address.
func (p *Plan) MonitoringRules() [][]string {
	var out [][]string
	for _, l := range p.AllowLists(allow.Load) {
		for _, c := range p.AllowLists(allow.Chaos) {
			out = append(out, slices.Concat(l, c))
		}
	}
	return out
}

// SendTo returns the check of the addresses that figures may be sent to during a run: those of the team's monitoring.
func (p *Plan) SendTo() (connect.Check, error) {
	return connect.Lists(p.MonitoringRules(), func(addr string) error {
		return fmt.Errorf("brunt sends figures to loopback alone; name %s under guard.allow.load or guard.allow.chaos, and where a policy has such a list "+
			"there too, to let it", addr)
	})
}

// AllowLists returns the list of a key, load or chaos, of the scenario and of each policy that has one. A scenario without a
// list may reach what every policy with a list allows.
func (p *Plan) AllowLists(key string) [][]string {
	var out [][]string
	for _, one := range p.Policies {
		if list := one.Allow.Of(key); list != nil {
			out = append(out, list)
		}
	}
	if own := p.Scenario.Guard.Allow.Of(key); own != nil || len(out) == 0 {
		out = append(out, own)
	}
	return out
}

// CheckProtected explains why no fault may hit a unit or a link. It serves selectors, whose picks
// are known only when the fault is planned.
func (p *Plan) CheckProtected(name string) error {
	for _, one := range p.Policies {
		if name, yes := policy.Protected(one).Has(name); yes {
			return fmt.Errorf("%s is protected by %s, and only a policy without it allows that", name, one.Of("protect"))
		}
	}
	return nil
}
