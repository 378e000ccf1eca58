package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/load"
	"brunt/scenarios/policies"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// beyond reports a setting beyond a policy. says is the policy's text.
func (c *policyPlan) beyond(at syntax.Pos, policy syntax.Pos, says, format string, args ...any) {
	c.Mistakes.Add(at, "%s, and %s says %s", fmt.Sprintf(format, args...), policy, says)
}

// addresses compares the scenario's allow-lists with the policy's. Connections of load and calls are checked again
// when they are made, because a name may resolve to another address by then.
func (c *policyPlan) addresses(p *policies.Policy) {
	for _, key := range []string{allow.Load, allow.Chaos, allow.Secrets} {
		quiet := &syntax.Mistakes{} // already reported
		theirs := allow.PolicyRules([]*policies.Policy{p}, key, quiet)
		items, _ := c.Scenario.Allowed(key)
		if len(theirs) == 0 {
			continue
		}
		for i, one := range c.Scenario.Guard.Allow.Of(key) {
			at := c.Scenario.Guard.Of("allow")
			if i < len(items) {
				at = items[i].Pos
			}
			own := allow.NewRules([]string{one}, func(int) syntax.Pos { return at }, "", nil, quiet)
			if what, ok := theirs[0].Covers(&own.Reach, false); !ok {
				c.beyond(at, p.Of("allow"), fmt.Sprintf("allow.%s: [%s]", key, strings.Join(p.Allow.Of(key), ", ")), "it names %s",
					what)
			}
		}
	}
}

// targets compares the kind of target, and the local processes that faults hit, with the policy.
func (c *policyPlan) targets(p *policies.Policy) {
	if !p.Has("targets") {
		return
	}
	says := fmt.Sprintf("targets: [%s]", strings.Join(p.Targets, ", "))
	kind := c.Scenario.Target.Kind()
	if kind == "" && c.Scope.External != "" {
		kind = "url" // a single fault on a link to the target
	}
	if kind != "" && !slices.Contains(p.Targets, kind) {
		c.beyond(c.Scenario.Target.Of(kind), p.Of("targets"), says, "the target is %s",
			map[string]string{
				"url": "a url", "stack": "a stack", "processes": "processes", "containers": "containers",
				"compose": "a Compose file",
			}[kind])
	}
	if c.Containers && !slices.Contains(p.Targets, "container") {
		c.beyond(c.Scenario.Target.Of("units"), p.Of("targets"), says+" without container",
			"it names containers that brunt did not start")
	}
	for _, e := range c.Parts {
		traits := e.Traits(c.Scope)
		if traits.Finds && !slices.Contains(p.Targets, "container") {
			c.beyond(e.Block.Pos, p.Of("targets"), says+" without container", "it hits containers that brunt did not start")
		}
		if slices.Contains(p.Targets, "pid") {
			continue
		}
		if len(traits.PIDs) > 0 {
			c.beyond(e.Block.Pos, p.Of("targets"), says+" without pid", "it hits process %d, which brunt did not start",
				traits.PIDs[0])
		}
	}
}

// sizes compares rates, users and times with the policy.
func (c *policyPlan) sizes(p *policies.Policy) {
	var rates, users []*load.Profile
	for i := range c.Loads {
		lp := &c.Loads[i]
		if lp.Schedule.Closed() {
			users = append(users, lp.Schedule.Users)
			if rate := lp.ScriptRate; rate != nil {
				rates = append(rates, rate)
			}
		} else {
			rates = append(rates, lp.Schedule.Rate)
		}
		if most := p.MaxInFlight; most > 0 && lp.MaxInFlight > most {
			c.beyond(lp.Of("max_in_flight"), p.Of("max_in_flight"), fmt.Sprintf("max_in_flight: %d", most),
				"load %q may have %d in flight", lp.Name, lp.MaxInFlight)
		}
	}
	if most, at := load.Peak(rates); p.MaxRate > 0 && most > float64(p.MaxRate)*(1+1e-9) {
		lp := c.under(at, false)
		c.beyond(lp.ShapeAt, p.Of("max_rate"), "max_rate: "+p.MaxRate.String(), "the loads come to %s at %s",
			quantity.Rate(most), quantity.Brief(at))
	}
	if most, at := load.Peak(users); p.MaxUsers > 0 && most > float64(p.MaxUsers)*(1+1e-9) {
		lp := c.under(at, true)
		c.beyond(lp.ShapeAt, p.Of("max_users"), fmt.Sprintf("max_users: %d", p.MaxUsers),
			"the loads come to %.0f virtual users at %s", most, quantity.Brief(at))
	}
	if most := p.MaxDuration.D(); most > 0 && c.end()+c.Scenario.Warmup > most {
		var last *policyLoad
		for i := range c.Loads {
			if lp := &c.Loads[i]; last == nil || lp.Schedule.End() > last.Schedule.End() {
				last = lp
			}
		}
		c.beyond(last.At, p.Of("max_duration"), "max_duration: "+p.MaxDuration.String(),
			"the run takes %s, its warm-up included",
			quantity.Brief(c.end()+c.Scenario.Warmup))
	}
}

// end returns when the last load ends.
func (c *policyPlan) end() time.Duration {
	end := time.Duration(0)
	for i := range c.Loads {
		end = max(end, c.Loads[i].Schedule.End())
	}
	return end
}

// under finds the load, closed or open, with the largest number at a time.
func (c *policyPlan) under(at time.Duration, closed bool) *policyLoad {
	var out *policyLoad
	most := -1.0
	for i := range c.Loads {
		lp := &c.Loads[i]
		profile := lp.Schedule.Rate
		if closed {
			profile = lp.Schedule.Users
		} else if lp.ScriptRate != nil {
			profile = lp.ScriptRate
		}
		if profile == nil {
			continue
		}
		if has := max(profile.At(at), profile.At(at-time.Nanosecond)); has > most {
			out, most = lp, has
		}
	}
	return out
}

// kinds compares the kinds of faults and the sizes of their selections with the policy.
func (c *policyPlan) kinds(p *policies.Policy) {
	if most := p.MaxUnits; most > 0 && c.Scenario.Guard.MaxUnits > most {
		c.beyond(c.Scenario.Guard.Of("max_units"), p.Of("max_units"), fmt.Sprintf("max_units: %d", most),
			"guard.max_units is %d", c.Scenario.Guard.MaxUnits)
	}
	if most := p.MaxEach; most > 0 && c.Scenario.Guard.MaxEach > most {
		c.beyond(c.Scenario.Guard.Of("max_each"), p.Of("max_each"), "max_each: "+most.String(), "guard.max_each is %s",
			c.Scenario.Guard.MaxEach)
	}
	for _, e := range c.Parts {
		if at, yes := p.Forbids(e.Kind); yes {
			c.beyond(e.Block.Pos, at, forbids(p, at), "%s is not allowed", e.Kind)
		}
		if at, yes := p.Forbids("exec"); yes && e.Kind != "exec" {
			if where, runs := commands(e); runs {
				c.beyond(where, at, forbids(p, at), "it runs a command, as exec does")
			}
		}
		if most := p.MaxUnits; e.Damage != nil && most > 0 && !c.TargetUnknown {
			if units := e.Traits(c.Scope).Units; units > most {
				c.beyond(e.Block.Pos, p.Of("max_units"), fmt.Sprintf("max_units: %d", most), "it hits %d units", units)
			}
		}
	}
	c.queries(p)
	for _, e := range c.Faults {
		if at, yes := p.Forbids("exec"); yes && e.Detect != nil && e.Detect.Runs() {
			c.beyond(e.Of("detect"), at, forbids(p, at), "it runs a command, as exec does")
		}
		if most := p.MaxEach.D(); most > 0 && e.Damage != nil && e.Stays() > most {
			at := e.Block.Pos // a condition has no time
			for _, key := range []string{"during", "for"} {
				if e.Has(key) {
					at = e.Of(key)
				}
			}
			c.beyond(at, p.Of("max_each"), "max_each: "+p.MaxEach.String(), "it stays for %s", quantity.Brief(e.Stays()))
		}
	}
}

// queries refuses metrics, watches, ready blocks, steps of setup and teardown, and endpoints that run commands, if the
// policy forbids commands.
func (c *policyPlan) queries(p *policies.Policy) {
	at, yes := p.Forbids("exec")
	if !yes {
		return
	}
	for _, a := range c.Asks {
		if a.Runs() {
			c.beyond(a.At, at, forbids(p, at), "it runs a command, as exec does")
		}
	}
	for _, one := range c.Plugins {
		c.beyond(one, at, forbids(p, at), "it runs a command, as exec does")
	}
}

// starts refuses everything of the author's that a scenario starts, if the policy forbids commands. Scripts and Compose
// files were refused before they were read; see [compiler.mayStart].
func (c *policyPlan) starts(p *policies.Policy) {
	rule, yes := p.ForbidsCommands()
	if !yes {
		return
	}
	refuse := func(at syntax.Pos, what string) { c.beyond(at, rule, forbids(p, rule), "%s", what) }
	t := &c.Scenario.Target
	switch {
	case t.Processes != nil:
		refuse(t.Of("processes"), "the target is started by commands")
	case t.Containers != nil:
		refuse(t.Of("containers"), "the target is started as containers")
	}
	if k := t.Kubernetes; k != nil && k.Image != "" {
		refuse(k.Of("image"), "agents and the watchdog run an image of the scenario's")
	}
	if w := &c.Scenario.Workers; w.Image != "" {
		refuse(w.Of("image"), "the workers run an image of the scenario's")
	}
	const command = "it runs a command"
	for _, e := range c.Parts {
		if e.Traits(chaos.Scope{}).Starts {
			refuse(e.Block.Pos, "it starts a program of the author's")
		} else if at, runs := commands(e); runs {
			refuse(at, command)
		}
	}
	for _, e := range c.Faults {
		if e.Detect != nil && e.Detect.Runs() {
			refuse(e.Of("detect"), command)
		}
	}
	for _, a := range c.Asks {
		if a.Runs() {
			refuse(a.At, command)
		}
	}
	for _, one := range c.Plugins {
		refuse(one, command)
	}
}

// mayStart reports whether all policies allow what the scenario would start, a script or a Compose file. Otherwise it
// notes that at at, and nothing is read of it.
func (c *compiler) mayStart(at syntax.Pos, what string) bool {
	for _, p := range c.o.Policies {
		if rule, yes := p.ForbidsCommands(); yes {
			held := policyPlan{Mistakes: c.m}
			held.beyond(at, rule, forbids(p, rule), "%s", what)
			return false
		}
	}
	return true
}

// forbids returns the entry with which a policy forbids a kind.
func forbids(p *policies.Policy, at syntax.Pos) string {
	if at == p.Of("faults") {
		return fmt.Sprintf("faults: [%s]", strings.Join(p.Faults, ", "))
	}
	return fmt.Sprintf("forbid: [%s]", strings.Join(p.Forbid, ", "))
}

// commands reports whether a fault runs a command of the author's, and its position.
func commands(e *timeline.Entry) (at syntax.Pos, runs bool) {
	traits := e.Traits(chaos.Scope{})
	if q := traits.Asks; q != nil && q.Runs() {
		return q.Of("command"), true
	}
	return e.Block.Pos, traits.Commands
}

// protect refuses faults that could hit what the policy protects.
func (c *policyPlan) protect(p *policies.Policy) {
	if c.TargetUnknown {
		return
	}
	spare := protectedBy(p)
	for _, e := range c.Parts {
		for _, u := range e.Traits(c.Scope).Reaches {
			if name, yes := spare.Has(u); yes {
				c.Mistakes.Add(e.Block.Pos, "it could touch %s, which %s protects", name, p.Of("protect"))
				break
			}
		}
	}
}

// require checks the requirements of the policy for a scenario with faults.
func (c *policyPlan) require(p *policies.Policy) {
	if len(c.Faults) == 0 {
		return
	}
	for i, r := range p.Require {
		said := map[policies.Requirement]bool{
			policies.RequireSteady: len(c.Scenario.Steady) > 0, policies.RequireStop: len(c.Scenario.Stop) > 0,
			policies.RequireSLO: len(c.Scenario.SLO) > 0, policies.RequireSeed: c.Scenario.SeedGiven,
		}
		if !said[r] {
			c.Mistakes.Add(c.Faults[0].Place.At, "a scenario with faults must have `%s`: %s requires it", r,
				p.Item("require", i))
		}
	}
}

// bound applies the policy's limits to settings that the scenario does not set.
func (c *policyPlan) bound(p *policies.Policy) {
	g := &c.Scenario.Guard
	if most := p.MaxUnits; most > 0 && (g.MaxUnits == 0 || g.MaxUnits > most) {
		g.MaxUnits = most
	}
	if most := p.MaxEach; most > 0 && (g.MaxEach == 0 || g.MaxEach > most) {
		g.MaxEach = most
	}
	for i := range c.Loads {
		lp := &c.Loads[i]
		if most := p.MaxInFlight; most > 0 && !lp.Schedule.Closed() && !lp.Has("max_in_flight") &&
			(lp.MaxInFlight == 0 || lp.MaxInFlight > most) {
			lp.MaxInFlight = most
		}
	}
}

// cluster compares the pods that the target names, and those that the run makes, with the policy.
func (c *policyPlan) cluster(p *policies.Policy) {
	if k := c.Scenario.Target.Kubernetes; k != nil {
		if slices.Contains(p.Protect.Namespaces, k.Namespace) {
			c.Mistakes.Add(k.Of("namespace"), "the namespace %s is protected by %s", k.Namespace, p.Of("protect"))
		}
		if p.Has("targets") && !slices.Contains(p.Targets, "kubernetes") {
			c.beyond(c.Scenario.Target.Of("kubernetes"), p.Of("targets"), noPods(p), "it names pods that brunt did not start")
		}
		if k.Makes {
			c.pods(p, k.Of("context"), "the target", k.Context, k.Namespace)
		}
		if k.AgentNamespace != "" {
			c.pods(p, k.Of("agent_namespace"), "an agent", k.Context, k.AgentNamespace)
		}
	}
	if w := &c.Scenario.Workers; w.Elsewhere() && w.Namespace != "" { // else they are in the namespace that the run makes
		if p.Has("targets") && !slices.Contains(p.Targets, "kubernetes") {
			c.beyond(w.At, p.Of("targets"), noPods(p), "workers are pods of a cluster")
		}
		c.pods(p, w.Of("namespace"), "a worker", w.Context, w.Namespace)
	}
}

// noPods returns the entry with which a policy refuses pods.
func noPods(p *policies.Policy) string {
	return fmt.Sprintf("targets: [%s] without kubernetes", strings.Join(p.Targets, ", "))
}

// pods refuses pods that the run makes in a namespace that the policy does not name. Who may make pods in a namespace
// may read its Secrets.
func (c *policyPlan) pods(p *policies.Policy, at syntax.Pos, whose, context, namespace string) {
	name := scenarios.ClusterName(cmp.Or(context, "CONTEXT"), cmp.Or(namespace, "NAMESPACE"))
	switch {
	case slices.Contains(p.Protect.Namespaces, namespace):
		c.Mistakes.Add(at, "the namespace %s is protected by %s", namespace, p.Of("protect"))
	case context == "" || namespace == "":
		c.Mistakes.AddHint(at, "write context and namespace, and name "+name+" under allow.load or allow.chaos of the policy",
			"%s would be a pod in a namespace that %s can't name", whose, p.File)
	case !slices.Contains(slices.Concat(p.Allow.Load, p.Allow.Chaos), name):
		c.Mistakes.AddHint(at, "name "+name+" under allow.load or allow.chaos of the policy, to let pods be made there",
			"%s would be a pod of %s, which %s (allow) does not name", whose, name, p.Of("allow"))
	}
}
