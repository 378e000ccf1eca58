package plan

import (
	"slices"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// group resolves the steps of a group, and when each is due.
func (c *faultCompiler) group(e *timeline.Entry) {
	e.Kind = result.GroupKind
	e.Block.Kind, e.Block.Pos = e.Kind, e.Of("steps")
	var steps []*timeline.Entry
	sound, known := true, true
	for i := range e.Fault.Steps {
		s := &e.Fault.Steps[i]
		part := &timeline.Entry{Kind: s.Block.Kind, Fault: scenarios.Fault{
			Place: s.Place, Name: scenarios.StepName(e.Name, s.Name),
			Wait: scenarios.Wait{By: s.After}, For: s.For, Within: s.Within,
			Block: s.Block,
		}}
		c.damage(part)
		if part.Damage == nil { // reported
			sound, part = false, c.kinds[part]
		}
		known = known && part != nil
		steps = append(steps, part)
	}
	if len(steps) == 0 || !known { // reported
		return
	}
	if !sound {
		of := *e
		c.kinds[e], e = &of, &of
	}
	g := timeline.NewGroup(steps, e.For > 0 || e.During != "")
	if first := g.Steps[0]; first.Wait.By > 0 {
		hint := "take " + first.Wait.By.String() + " off each `after`, and let the group come later"
		c.m.AddHint(first.Of("after"), hint, "no step of group %q comes at its begin", e.Name)
		return
	}
	e.Damage = g
	checkStepTimes(c.m, e, g)
}

// checkStepTimes checks the times of a group's steps against their kinds and against those of the group.
// A group without a time lasts as long as its steps, where each of them has an end.
func checkStepTimes(m *syntax.Mistakes, e *timeline.Entry, g *timeline.Group) {
	ends := e.Stays()
	most, all := g.Lasts()
	switch {
	case ends > 0 || g.Brief || e.Has("for") || e.Has("during"): // a wrong time is reported
	case all:
		e.For = quantity.Duration(most)
	default:
		m.AddHint(e.Fault.Place.At, "such as for: 30s", "group %q does not say how long it lasts, nor do all of its steps",
			e.Name)
	}
	for _, s := range g.Steps {
		until := s.Wait.D() + s.For.D()
		switch {
		case s.OneShot() && s.For > 0:
			m.AddHint(s.Of("for"), keptUp(s.Kind),
				"%s is over once it is done; it takes no `for`. `within` says by when its unit is healthy again", s.Kind)
		case !s.OneShot() && s.Within > 0:
			m.Add(s.Of("within"), "`within` is for faults that are over at once; %s stays for `for`, or as long as the group",
				s.Kind)
		case ends > 0 && s.Wait.D() >= ends:
			m.AddHint(s.Of("after"), "for: "+quantity.Brief(until+time.Second)+" at least",
				"%s comes after %s, and group %q ends after %s", s.Name, s.Wait.By, e.Name, quantity.Brief(ends))
		case ends > 0 && until > ends:
			m.AddHint(s.Of("for"), "without `for` it stays until the group ends",
				"%s stays until %s after the begin of group %q, which ends after %s", s.Name, quantity.Brief(until), e.Name,
				quantity.Brief(ends))
		}
	}
}

// Parts returns the faults of the plan, with the steps of groups as single faults.
func (p *Plan) Parts() []*timeline.Entry {
	var out []*timeline.Entry
	for _, e := range slices.Concat(p.Conditions, p.Faults) {
		if e.Kind != result.GroupKind || e.Damage != nil { // otherwise its mistakes are reported
			out = append(out, e.Parts()...)
		}
	}
	return out
}
