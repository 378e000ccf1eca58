package plan

import (
	"fmt"
	"maps"
	"net/url"
	"slices"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/connect"
	"brunt/scenarios/syntax"
)

// policies checks the plan against the policies.
func (c *compiler) policies() {
	p := policyPlan{
		Scenario: c.sc, Mistakes: c.m, Faults: slices.Concat(c.plan.Conditions, c.plan.Faults), Parts: c.plan.Parts(),
		Scope:      c.plan.Scope,
		Containers: len(c.plan.Containers) > 0, Asks: asks(c.plan), Plugins: plugins(c.plan),
		TargetUnknown: c.targetUnknown,
	}
	for i := range c.plan.Loads {
		lp := &c.plan.Loads[i]
		p.Loads = append(p.Loads, policyLoad{
			Load: &lp.Load, Schedule: lp.Schedule, ScriptRate: lp.scriptRate(), ShapeAt: lp.shapeAt(),
		})
	}
	if len(p.Plugins) > 0 {
		c.plan.Notes = append(c.plan.Notes, "a plug-in opens its own connections: brunt checks the address of its endpoint, "+
			"and can't see where else it connects to")
	}
	c.plan.Policies = c.o.Policies
	c.plan.Notes = append(c.plan.Notes, p.Hold(c.o.Policies)...)
}

// asks lists the parts other than faults that may run a command: metrics, watches, ready blocks, and steps of setup
// and teardown.
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

// plugins returns the positions of the commands in the settings of endpoints.
func plugins(p *Plan) (all []syntax.Pos) {
	endpoints := p.Scenario.Target.Endpoints
	for _, name := range slices.Sorted(maps.Keys(endpoints)) {
		e := endpoints[name]
		if command := e.Settings.Get("command"); command != nil && p.Protocols.Runs(e.Text()) {
			all = append(all, command.Pos)
		}
	}
	return all
}

// shapeAt returns the position of a load's schedule.
func (lp *Load) shapeAt() syntax.Pos {
	if lp.Script != nil {
		return lp.Of(scenarios.ScriptKey)
	}
	return lp.Shape.Pos
}

// questions returns the scope of questions during the run: they may go where load or faults may go, without a load's
// resolve.
func (p *Plan) questions() chaos.Scope {
	scope := p.Scope
	scope.Host = func(u *url.URL) error {
		return p.within(func(l *allow.List) error { return l.CheckURL(nil)(u) }, scenarios.QuestionsBeyond(u.Hostname()))
	}
	return scope
}

// within returns nil if the list of the load or the list of faults passes a check. Otherwise it returns the error of
// a policy, if a policy refuses, else beyond.
func (p *Plan) within(check func(*allow.List) error, beyond error) error {
	byLoad := check(p.LoadAllowlist)
	if byLoad == nil {
		return nil
	}
	byChaos := check(p.ChaosAllowlist)
	switch {
	case byChaos == nil:
		return nil
	case allow.OfPolicy(byLoad):
		return byLoad
	case allow.OfPolicy(byChaos):
		return byChaos
	}
	return beyond
}

// ChaosRules lists where calls of faults may go besides loopback: the lists of the scenario and of policies, all of
// which must contain an address. Each also contains the addresses of what brunt started.
func (p *Plan) ChaosRules() [][]string { return p.withOwn(p.AllowLists(allow.Chaos)) }

// MonitoringRules lists where questions may go during the run: any address that load or chaos may reach. Each list
// joins the load and chaos entries of one source; all lists must contain an address. Each also contains the addresses
// of what brunt started.
func (p *Plan) MonitoringRules() [][]string { return p.withOwn(p.either()) }

// either joins the lists of load with those of chaos.
func (p *Plan) either() [][]string {
	var out [][]string
	for _, l := range p.AllowLists(allow.Load) {
		for _, c := range p.AllowLists(allow.Chaos) {
			out = append(out, slices.Concat(l, c))
		}
	}
	return out
}

// withOwn adds the addresses that brunt started to each list.
func (p *Plan) withOwn(lists [][]string) [][]string {
	if p.LoadAllowlist == nil {
		return lists
	}
	for i := range lists {
		lists[i] = slices.Concat(lists[i], p.LoadAllowlist.Own.Names())
	}
	return lists
}

// SendTo returns the check of addresses to which figures may be sent during a run: addresses that load or faults may
// reach.
func (p *Plan) SendTo() (connect.Check, error) {
	return connect.Lists(p.either(), func(addr string) error {
		return fmt.Errorf("brunt sends figures to loopback alone; name %s under guard.allow.load or guard.allow.chaos, "+
			"and where a policy has such a list "+
			"there too, to let it", addr)
	})
}

// AllowLists returns the list of a key, load or chaos, of the scenario and of each policy that has one. A scenario
// without a list may reach the addresses that every policy with a list allows. If the scenario has secrets, the lists
// of secrets follow.
func (p *Plan) AllowLists(key string) [][]string {
	out := p.lists(key)
	if len(out) == 0 {
		out = append(out, nil) // only loopback
	}
	if len(p.Scenario.SecretRefs) > 0 {
		out = append(out, p.lists(allow.Secrets)...)
	}
	return out
}

// lists returns the existing lists of a key: those of the policies, then the scenario's.
func (p *Plan) lists(key string) (out [][]string) {
	for _, one := range p.Policies {
		if list := one.Allow.Of(key); list != nil {
			out = append(out, list)
		}
	}
	if own := p.Scenario.Guard.Allow.Of(key); own != nil {
		out = append(out, own)
	}
	return out
}

// CheckProtected explains why no fault may hit a unit or a link. It is for selectors, whose choice is known only when
// the fault is planned.
func (p *Plan) CheckProtected(name string) error {
	for _, one := range p.Policies {
		if name, yes := protectedBy(one).Has(name); yes {
			return fmt.Errorf("%s is protected by %s, and only a policy without it allows that", name, one.Of("protect"))
		}
	}
	return nil
}
