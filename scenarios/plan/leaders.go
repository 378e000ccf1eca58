package plan

import (
	"maps"
	"slices"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/probe"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// withLeader returns the settings of a fault that picks units by their role. If they have no question of their own,
// they get the question that `leaders` has for the service.
func (c *faultCompiler) withLeader(b syntax.Block) syntax.Block {
	if b.With == nil || b.With.Kind != syntax.Map || b.With.Get("leader") != nil || !picksByRole(b.With) ||
		!takesLeader(b.Kind) {
		return b
	}
	service := picksFrom(b.With)
	i := slices.IndexFunc(c.plan.Scenario.Leaders, func(w scenarios.Watched) bool { return w.Name == service })
	if i < 0 {
		return b
	}
	c.asked = append(c.asked, service)
	of, with := c.plan.Scenario.Leaders[i], *b.With
	with.Fields = append(slices.Clone(with.Fields), syntax.Field{Key: "leader", Pos: of.Pos, Value: of.With})
	b.With = &with
	return b
}

// takesLeader reports whether a kind of fault has the setting `leader`.
func takesLeader(kind string) bool {
	made := catalog.Kinds()[kind]
	return made != nil && slices.Contains(syntax.Keys(made()), "leader")
}

// picksByRole reports whether the settings of a fault pick units by their role, or a part of the members of a
// replicated store.
func picksByRole(with *syntax.Node) bool {
	is := func(key string, values ...string) bool {
		n := with.Get(key)
		return n != nil && slices.Contains(values, n.Value)
	}
	return is("pick", "leader", "follower", "minority", "quorum") || is("except", "leader")
}

// picksFrom returns the service whose units the settings of a fault pick from.
func picksFrom(with *syntax.Node) string {
	for _, key := range []string{"from", "service", "to"} {
		if n := with.Get(key); n != nil && n.Value != "" && n.Value != chaos.LoadName {
			return n.Value
		}
	}
	return ""
}

// leaders checks the questions of `leaders`. One that a fault asks was checked with the fault.
func (c *faultCompiler) leaders() {
	for _, of := range c.plan.Scenario.Leaders {
		if scope := c.plan.Scope; !c.targetUnknown && !scope.Has(of.Name) {
			c.m.AddHint(of.Pos, syntax.DidYouMean(of.Name, slices.Sorted(maps.Keys(scope.Services))),
				"there is no service %q", syntax.Clip(of.Name, 40))
			continue
		}
		if slices.Contains(c.asked, of.Name) {
			continue
		}
		l := new(selector.Leader)
		if decoded(of.With, l, c.m) {
			l.ValidateFor(probe.Use{Unit: true}, of.With.Pos, c.plan.questions(), c.m)
			c.steps.asked(l.Ask)
		}
	}
}
