package plan

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/consistency"
	"brunt/scenarios/syntax"
)

// compileConsistency finds the steps that write and read the registers of `consistency`.
func compileConsistency(p *Plan, steps *stepCompiler, m *syntax.Mistakes) {
	var written []*syntax.Node
	for _, c := range p.Scenario.Consistency {
		spec := &consistency.Spec{Consistency: c}
		p.Consistency = append(p.Consistency, spec)
		for _, s := range steps.compiled {
			switch s.call.Name() {
			case c.Write:
				spec.Writes, written = append(spec.Writes, s.call), append(written, s.with)
				if !namesWrite(s.call) && spec.Drawn() {
					m.AddHint(s.with.Pos, "such as json: {value: \"${consistency.value}\"}",
						"the step %q names ${consistency.value} nowhere, so no read could return what it writes", c.Write)
				}
			case c.Read:
				spec.Reads = append(spec.Reads, s.call)
			}
		}
		steps.checkName(c.Of("write"), c.Write)
		steps.checkName(c.Of("read"), c.Read)
		if c.Write != "" && c.Write == c.Read {
			m.Add(c.Of("read"), "one step can't both write and read a register: they are two operations")
		}
	}
	onlyInWrites(p, steps, m, written)
}

// onlyInWrites refuses ${consistency.value} outside of steps that write registers.
func onlyInWrites(p *Plan, steps *stepCompiler, m *syntax.Mistakes, written []*syntax.Node) {
	for _, u := range p.Scenario.Symbols.Uses() {
		switch {
		case u.Ref.Kind != syntax.RefLedger || u.Ref.Text != syntax.ConsistencyPlaceholder || steps.unknown,
			slices.ContainsFunc(written, func(n *syntax.Node) bool { return n.Holds(u.Pos) }),
			slices.ContainsFunc(p.Scenario.Consistency, func(c *scenarios.Consistency) bool { return c.Value.At == u.Pos }):
		case len(p.Scenario.Consistency) == 0:
			m.AddHint(u.Pos, "such as consistency: {users: {write: STEP, read: STEP, found: \"${var.value}\"}}",
				"${%s}: the scenario has no `consistency`", u.Ref.Text)
		default:
			m.Add(u.Pos, "${%s} belongs into a step that `consistency` names under `write`", u.Ref.Text)
		}
	}
}
