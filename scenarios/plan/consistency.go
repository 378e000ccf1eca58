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
	placeholder{
		text: syntax.ConsistencyPlaceholder, section: "consistency", setting: "write", entries: len(p.Scenario.Consistency),
		such: `{users: {write: STEP, read: STEP, found: "${var.value}"}}`,
		own: func(at syntax.Pos) bool {
			return slices.ContainsFunc(p.Scenario.Consistency, func(c *scenarios.Consistency) bool { return c.Value.At == at })
		},
	}.onlyIn(written, p, steps, m)
}

// A placeholder is one of the values that a section of the scenario makes for the steps which it names.
type placeholder struct {
	text, section, setting string                // setting names the steps
	such                   string                // an example of the section
	entries                int                   // of the section
	own                    func(syntax.Pos) bool // the position is one of the section itself
}

// onlyIn refuses the placeholder outside of the steps in written.
func (h placeholder) onlyIn(written []*syntax.Node, p *Plan, steps *stepCompiler, m *syntax.Mistakes) {
	for _, u := range p.Scenario.Symbols.Uses() {
		switch {
		case u.Ref.Kind != syntax.RefLedger || u.Ref.Text != h.text || steps.failedAt(u.Pos),
			slices.ContainsFunc(written, func(n *syntax.Node) bool { return n.Holds(u.Pos) }), h.own(u.Pos):
		case h.entries == 0:
			m.AddHint(u.Pos, "such as "+h.section+": "+h.such, "${%s}: the scenario has no `%s`", u.Ref.Text, h.section)
		default:
			m.Add(u.Pos, "${%s} belongs into a step that `%s` names under `%s`", u.Ref.Text, h.section, h.setting)
		}
	}
}
