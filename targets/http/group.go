package http

import (
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
)

// mostGroups is the maximum number of groups of a step, because each is a series of its own.
const mostGroups = 16

// group is the YAML of the groups of a step's answers. The answers with a value are measured under the name of the step
// and the value, such as "list v2", beside the step itself, and do not count twice in any sum. An answer with another
// value, and a request without an answer, belong to no group.
type group struct {
	syntax.Place
	Header string   `yaml:"header,required"` // header of the answer whose value names the group, such as X-Version
	Values []string `yaml:"values,required"` // the values, one group each; up to 16
}

func (c *Call) compileGroup(g *group, m *syntax.Mistakes) {
	if g == nil {
		return
	}
	c.group = g
	if g.Header != "" && !check.IsToken(g.Header) {
		m.Add(g.Of("header"), "%q is not a header name", syntax.Clip(g.Header, 40))
	}
	if len(g.Values) > mostGroups {
		m.Add(g.Of("values"), "a step has at most %d groups, because each is measured apart", mostGroups)
	}
	for i, v := range g.Values {
		switch {
		case v == "" || strings.ContainsAny(v, "\"\r\n"):
			m.Add(g.Of("values"), "%q can't name a group: objectives name it in double quotes, on one line",
				syntax.Clip(v, 40))
		case slices.Contains(g.Values[:i], v):
			m.Add(g.Of("values"), "%q stands twice", syntax.Clip(v, 40))
		}
	}
}

// groups lists the names of the further measurements of a call.
func groups(c scenarios.Call) []string {
	if call, ok := c.(*Call); ok && call.group != nil {
		return call.group.Values
	}
	return nil
}

// grouped passes the measurement of an answer on to its group.
func (t *exchange) grouped() {
	g, emit := t.call.group, t.client.o.Emit
	if g == nil || emit == nil {
		return
	}
	for _, v := range t.ans.Header(g.Header) {
		if i := slices.Index(g.Values, string(v)); i >= 0 {
			t.part = *t.out
			emit(t.it, t.call, i, &t.part)
			return
		}
	}
}
