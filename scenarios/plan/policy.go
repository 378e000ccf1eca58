package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/connect"
	"brunt/scenarios/load"
	"brunt/scenarios/plan/arguments"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// ReadPolicies reads policy files, all of which apply, by read if it is not nil. It reports the mistakes of several files one
// file after the other.
func ReadPolicies(paths []string, read func(path string) ([]byte, error)) ([]*scenarios.Policy, error) {
	var out []*scenarios.Policy
	for _, path := range paths {
		p, err := scenarios.ParsePolicy(path, arguments.Kinds(), scenarios.Options{Read: read})
		if p == nil {
			return nil, err
		}
		m := p.Mistakes()
		allow.PolicyRules([]*scenarios.Policy{p}, allow.Load, m)
		allow.PolicyRules([]*scenarios.Policy{p}, allow.Chaos, m)
		if err := m.Err(); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// policies compares the plan with policies: anything beyond one is a mistake, with its place in the
// scenario and the place in the policy. Policies then decide what the scenario left open.
func (c *compiler) policies() {
	check := policyCheck{c}
	for _, p := range c.o.Policies {
		check.addresses(p)
		check.targets(p)
		check.cluster(p)
		check.sizes(p)
		check.kinds(p)
		check.protect(p)
		check.require(p)
	}
	for _, p := range c.o.Policies {
		check.bound(p)
	}
	c.plan.Policies = c.o.Policies
}

// policyCheck compares a plan with policies.
type policyCheck struct{ *compiler }

// beyond reports a setting beyond a policy. Says is the policy's text.
func (c policyCheck) beyond(at syntax.Pos, policy syntax.Pos, says, format string, args ...any) {
	c.m.Add(at, "%s, and %s says %s", fmt.Sprintf(format, args...), policy, says)
}

// addresses compares the scenario's allow-lists with the policy's. Connections of load and calls are
// checked again when they are made, because a name may lead anywhere until then.
func (c policyCheck) addresses(p *scenarios.Policy) {
	for _, list := range []struct {
		key   string
		items func() ([]*syntax.Node, bool)
	}{{allow.Load, c.sc.AllowedLoad}, {allow.Chaos, c.sc.AllowedChaos}} {
		quiet := &syntax.Mistakes{} // already reported
		theirs := allow.PolicyRules([]*scenarios.Policy{p}, list.key, quiet)
		items, _ := list.items()
		if len(theirs) == 0 {
			continue
		}
		for i, one := range c.sc.Guard.Allow.Of(list.key) {
			at := c.sc.Guard.Of("allow")
			if i < len(items) {
				at = items[i].Pos
			}
			own := allow.NewRules([]string{one}, func(int) syntax.Pos { return at }, "", nil, quiet)
			if what, ok := theirs[0].Covers(&own.Reach, false); !ok {
				c.beyond(at, p.Of("allow"), fmt.Sprintf("allow.%s: [%s]", list.key, strings.Join(p.Allow.Of(list.key), ", ")), "it names %s", what)
			}
		}
	}
}

// TargetKind returns the kind of the scenario's target.
func TargetKind(t *scenarios.Target) string {
	switch {
	case t.Processes != nil:
		return "processes"
	case t.Containers != nil:
		return "containers"
	case t.Compose != nil:
		return "compose"
	case t.Stack != "":
		return "stack"
	case !t.URL.IsZero(), t.OnlyEndpoints(): // systems that run already
		return "url"
	}
	return ""
}

// CheckTarget refuses a target of a kind that a policy does not allow, for commands that compile
// nothing else of the scenario.
func CheckTarget(sc *scenarios.Scenario, policies []*scenarios.Policy, m *syntax.Mistakes) {
	check := policyCheck{&compiler{sc: sc, m: m, plan: new(Plan)}}
	for _, p := range policies {
		check.targets(p)
	}
}

// targets compares the kind of target, and the local processes that faults hit, with the policy.
func (c policyCheck) targets(p *scenarios.Policy) {
	if !p.Has("targets") {
		return
	}
	says := fmt.Sprintf("targets: [%s]", strings.Join(p.Targets, ", "))
	kind := TargetKind(&c.sc.Target)
	if kind == "" && c.plan.Scope.External != "" {
		kind = "url" // a single fault, on a link to the target
	}
	if kind != "" && !slices.Contains(p.Targets, kind) {
		c.beyond(c.sc.Target.Of(kind), p.Of("targets"), says, "the target is %s",
			map[string]string{"url": "a url", "stack": "a stack", "processes": "processes", "containers": "containers", "compose": "a Compose file"}[kind])
	}
	if len(c.plan.Containers) > 0 && !slices.Contains(p.Targets, "container") {
		c.beyond(c.sc.Target.Of("units"), p.Of("targets"), says+" without container", "it names containers that brunt did not start")
	}
	for _, e := range c.plan.Parts() {
		traits := e.Traits(c.plan.Scope)
		if traits.Finds && !slices.Contains(p.Targets, "container") {
			c.beyond(e.Block.Pos, p.Of("targets"), says+" without container", "it hits containers that brunt did not start")
		}
		if slices.Contains(p.Targets, "pid") {
			continue
		}
		if len(traits.PIDs) > 0 {
			c.beyond(e.Block.Pos, p.Of("targets"), says+" without pid", "it hits process %d, which brunt did not start", traits.PIDs[0])
		}
	}
}

// sizes compares rates, users and times with the policy.
func (c policyCheck) sizes(p *scenarios.Policy) {
	var rates, users []*load.Profile
	for i := range c.plan.Loads {
		lp := &c.plan.Loads[i]
		if lp.Schedule.Closed() {
			users = append(users, lp.Schedule.Users)
			if rate := lp.scriptRate(); rate != nil {
				rates = append(rates, rate)
			}
		} else {
			rates = append(rates, lp.Schedule.Rate)
		}
		if most := p.MaxInFlight; most > 0 && lp.MaxInFlight > most {
			c.beyond(lp.Of("max_in_flight"), p.Of("max_in_flight"), fmt.Sprintf("max_in_flight: %d", most), "load %q may have %d in flight", lp.Name, lp.MaxInFlight)
		}
	}
	if most, at := load.Peak(rates); p.MaxRate > 0 && most > float64(p.MaxRate)*(1+1e-9) {
		lp := c.under(at, false)
		c.beyond(lp.shapeAt(), p.Of("max_rate"), "max_rate: "+p.MaxRate.String(), "the loads come to %s at %s", quantity.Rate(most), quantity.Brief(at))
	}
	if most, at := load.Peak(users); p.MaxUsers > 0 && most > float64(p.MaxUsers)*(1+1e-9) {
		lp := c.under(at, true)
		c.beyond(lp.shapeAt(), p.Of("max_users"), fmt.Sprintf("max_users: %d", p.MaxUsers), "the loads come to %.0f virtual users at %s", most, quantity.Brief(at))
	}
	if most := p.MaxDuration.D(); most > 0 && c.plan.End()+c.sc.Warmup > most {
		var last *Load
		for i := range c.plan.Loads {
			if lp := &c.plan.Loads[i]; last == nil || lp.Schedule.End() > last.Schedule.End() {
				last = lp
			}
		}
		c.beyond(last.At, p.Of("max_duration"), "max_duration: "+p.MaxDuration.String(), "the run takes %s, its warm-up included",
			quantity.Brief(c.plan.End()+c.sc.Warmup))
	}
}

// shapeAt is the position of a load's schedule.
func (lp *Load) shapeAt() syntax.Pos {
	if lp.Script != nil {
		return lp.Of(scenarios.ScriptKey)
	}
	return lp.Shape.Pos
}

// under finds the load, closed or open, with the largest number at a time.
func (c policyCheck) under(at time.Duration, closed bool) *Load {
	var out *Load
	most := -1.0
	for i := range c.plan.Loads {
		lp := &c.plan.Loads[i]
		profile := lp.Schedule.Rate
		if closed {
			profile = lp.Schedule.Users
		} else if lp.Script != nil {
			profile = lp.scriptRate()
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
func (c policyCheck) kinds(p *scenarios.Policy) {
	if most := p.MaxUnits; most > 0 && c.sc.Guard.MaxUnits > most {
		c.beyond(c.sc.Guard.Of("max_units"), p.Of("max_units"), fmt.Sprintf("max_units: %d", most), "guard.max_units is %d", c.sc.Guard.MaxUnits)
	}
	if most := p.MaxEach; most > 0 && c.sc.Guard.MaxEach > most {
		c.beyond(c.sc.Guard.Of("max_each"), p.Of("max_each"), "max_each: "+most.String(), "guard.max_each is %s", c.sc.Guard.MaxEach)
	}
	for _, e := range c.plan.Parts() {
		if at, yes := p.Forbids(e.Kind); yes {
			c.beyond(e.Block.Pos, at, forbids(p, at), "%s is not allowed", e.Kind)
		}
		if at, yes := p.Forbids("exec"); yes && e.Kind != "exec" {
			if where, runs := commands(e); runs {
				c.beyond(where, at, forbids(p, at), "it runs a command, as exec does")
			}
		}
		if most := p.MaxUnits; e.Damage != nil && most > 0 && !c.targetUnknown {
			if units := e.Traits(c.plan.Scope).Units; units > most {
				c.beyond(e.Block.Pos, p.Of("max_units"), fmt.Sprintf("max_units: %d", most), "it hits %d units", units)
			}
		}
	}
	c.queries(p)
	for _, e := range c.plan.Faults {
		if at, yes := p.Forbids("exec"); yes && e.Detect != nil && e.Detect.Runs() {
			c.beyond(e.Of("detect"), at, forbids(p, at), "it runs a command, as exec does")
		}
		if most := p.MaxEach.D(); most > 0 && e.Damage != nil && e.Stays() > most {
			at := e.Of("for")
			if !e.Has("for") {
				at = e.Of("during")
			}
			c.beyond(at, p.Of("max_each"), "max_each: "+p.MaxEach.String(), "it stays for %s", quantity.Brief(e.Stays()))
		}
	}
}

// queries refuses metrics, watches, ready blocks and steps of setup and teardown that run commands, where the policy forbids commands.
func (c policyCheck) queries(p *scenarios.Policy) {
	at, yes := p.Forbids("exec")
	if !yes {
		return
	}
	refuse := func(a *probe.Asking) {
		if a.Runs() {
			c.beyond(a.At, at, forbids(p, at), "it runs a command, as exec does")
		}
	}
	for _, g := range c.plan.Gauges {
		refuse(&g.Asking)
	}
	for _, w := range c.plan.Watches {
		refuse(&w.Asking)
	}
	for _, r := range c.plan.Readiness {
		refuse(&r.Asking)
	}
	for _, o := range c.plan.Commands() {
		refuse(o.Asking())
	}
}

// forbids describes where a policy forbids a kind.
func forbids(p *scenarios.Policy, at syntax.Pos) string {
	if at == p.Of("faults") {
		return fmt.Sprintf("faults: [%s]", strings.Join(p.Faults, ", "))
	}
	return fmt.Sprintf("forbid: [%s]", strings.Join(p.Forbid, ", "))
}

// commands reports whether a fault runs a command of the author's, and its position.
func commands(e *chaos.Entry) (at syntax.Pos, runs bool) {
	traits := e.Traits(chaos.Scope{})
	if q := traits.Asks; q != nil && q.Runs() {
		return q.Of("command"), true
	}
	return e.Block.Pos, traits.Commands
}

// protected is the set of units and processes that a policy protects.
func protected(p *scenarios.Policy) *chaos.Protected {
	return &chaos.Protected{Services: p.Protect.Services, Units: p.Protect.Units, PIDs: p.Protect.PIDs, Containers: p.Protect.Containers}
}

// protect refuses faults that could hit what the policy protects.
func (c policyCheck) protect(p *scenarios.Policy) {
	if c.targetUnknown {
		return
	}
	spare := protected(p)
	for _, e := range c.plan.Parts() {
		for _, u := range e.Traits(c.plan.Scope).Reaches {
			if name, yes := spare.Has(u); yes {
				c.m.Add(e.Block.Pos, "it could touch %s, which %s protects", name, p.Of("protect"))
				break
			}
		}
	}
}

// require checks what the policy requires of a scenario with faults.
func (c policyCheck) require(p *scenarios.Policy) {
	if len(c.plan.Faults) == 0 {
		return
	}
	for i, r := range p.Require {
		said := map[scenarios.Requirement]bool{
			scenarios.RequireSteady: len(c.sc.Steady) > 0, scenarios.RequireStop: len(c.sc.Stop) > 0,
			scenarios.RequireSLO: len(c.sc.SLO) > 0, scenarios.RequireSeed: c.sc.SeedGiven,
		}
		if !said[r] {
			c.m.Add(c.plan.Faults[0].Place.At, "a scenario with faults must have `%s`: %s requires it", r, p.Item("require", i))
		}
	}
}

// bound applies the policy to settings that the scenario left open.
func (c policyCheck) bound(p *scenarios.Policy) {
	g := &c.sc.Guard
	if most := p.MaxUnits; most > 0 && (g.MaxUnits == 0 || g.MaxUnits > most) {
		g.MaxUnits = most
	}
	if most := p.MaxEach; most > 0 && (g.MaxEach == 0 || g.MaxEach > most) {
		g.MaxEach = most
	}
	for i := range c.plan.Loads {
		lp := &c.plan.Loads[i]
		if most := p.MaxInFlight; most > 0 && !lp.Schedule.Closed() && !lp.Has("max_in_flight") && (lp.MaxInFlight == 0 || lp.MaxInFlight > most) {
			lp.MaxInFlight = most
		}
	}
	c.plan.Notes = append(c.plan.Notes, heldTo(p))
}

func heldTo(p *scenarios.Policy) string { return "held to policy " + PolicyName(p) }

// PolicyName names a policy for people: its name, its file, and the beginning of its
// digest.
func PolicyName(p *scenarios.Policy) string {
	return fmt.Sprintf("%q (%s, sha256 %s)", p.Name, p.File, p.Digest[:12])
}

// ChaosRules lists what faults that are calls may reach besides loopback: the scenario's list and
// those of policies, all of which must contain an address.
func (p *Plan) ChaosRules() [][]string {
	return p.allowLists(allow.Chaos)
}

// MonitoringRules lists where the team's monitoring may be queried: any address that load or chaos
// may reach. Each list joins the load and chaos entries of one source; all lists must contain an
// address.
func (p *Plan) MonitoringRules() [][]string {
	var out [][]string
	for _, l := range p.allowLists(allow.Load) {
		for _, c := range p.allowLists(allow.Chaos) {
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

// allowLists returns the list of the scenario and of each policy that has one. A scenario without a
// list may reach what every policy with a list allows.
func (p *Plan) allowLists(key string) [][]string {
	var out [][]string
	for _, policy := range p.Policies {
		if list := policy.Allow.Of(key); list != nil {
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
	for _, policy := range p.Policies {
		if name, yes := protected(policy).Has(name); yes {
			return fmt.Errorf("%s is protected by %s, and only a policy without it allows that", name, policy.Of("protect"))
		}
	}
	return nil
}
