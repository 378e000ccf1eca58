package chaos

import "brunt/scenarios"

// checkRefs refuses placeholders that only requests of the load can fill in.
func checkRefs(t *scenarios.Template, m *scenarios.Mistakes) {
	for _, r := range t.Refs() {
		if r.Kind != scenarios.RefUnit {
			m.Add(t.At, "${%s} has a value only while requests are made; a fault knows ${unit.…}, params, env and file", r.Text)
		}
	}
}

func literal(s string) scenarios.Sealed { return scenarios.Sealed{{Text: s}} }

// seal fills a template in, so that it can be written down.
func (e Env) seal(t *scenarios.Template) (scenarios.Sealed, error) {
	return t.Seal(&scenarios.Iter{Env: &scenarios.Env{Units: e.Addresses}})
}
