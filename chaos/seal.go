package chaos

import (
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// checkRefs refuses placeholders that only requests of the load can fill in.
func checkRefs(t *template.Template, m *syntax.Mistakes) {
	for _, r := range t.Refs() {
		if r.Kind != syntax.RefUnit {
			m.Add(t.At, "${%s} has a value only while requests are made; a fault knows ${unit.…}, params, env and file", r.Text)
		}
	}
}

func literal(s string) template.Sealed { return template.Sealed{{Text: s}} }

// seal fills a template in, so that it can be written down.
func (e Env) seal(t *template.Template) (template.Sealed, error) {
	return t.Seal(&template.Iter{Env: &template.Env{Units: e.Addresses}})
}
