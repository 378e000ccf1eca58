package probe

import (
	"brunt/chaos"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// CheckPlaceholders refuses placeholders that only the load's requests can resolve.
func CheckPlaceholders(t *template.Template, m *syntax.Mistakes) { checkPlaceholders(t, Use{}, m) }

// checkPlaceholders refuses placeholders without a value in a use. A question to a unit also has the values of the
// unit.
func checkPlaceholders(t *template.Template, use Use, m *syntax.Mistakes) {
	checkRefs(t.Refs(), t.At, use, m)
}

// checkRefs is checkPlaceholders for the placeholders of a text at a place.
func checkRefs(refs []*syntax.Ref, at syntax.Pos, use Use, m *syntax.Mistakes) {
	for _, r := range refs {
		switch {
		case r.Kind == syntax.RefUnit, r.Kind == syntax.RefSelf && use.Unit:
		case use.Unit:
			m.Add(at, "${%s} has a value only while requests are made; a question to a unit knows ${self.…}, ${unit.…}, "+
				"params, env and file", r.Text)
		default:
			m.Add(at, "${%s} has a value only while requests are made; a fault knows ${unit.…}, params, env and file", r.Text)
		}
	}
}

// Literal returns the text s as a resolved template.
func Literal(s string) template.Resolved { return template.Resolved{{Text: s}} }

// resolve fills in a template, so that the result can be stored.
func resolve(on chaos.Host, t *template.Template) (template.Resolved, error) {
	return t.Resolve(values(on))
}

// values returns the values of placeholders at a host.
func values(on chaos.Host) *template.Iter {
	return &template.Iter{Env: &template.Env{Units: on.Addresses}}
}
