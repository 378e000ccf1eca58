package proxied

import (
	"brunt/chaos"
	"brunt/chaos/selector"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// spoken notes an endpoint whose link a fault hits, and that does not speak the protocol that the fault looks into.
func spoken(e *selector.Edge, protocol, inside string, speaks func(*chaos.Endpoint) bool, at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	for i := range sc.Endpoints {
		if end := &sc.Endpoints[i]; end.NoLink == "" && !speaks(end) && e.On(chaos.LoadName, end.Name, nil) {
			m.Add(at, "the endpoint %q does not speak %s without TLS, so that no link can look into %s; network.* faults work", end.Name, protocol, inside)
		}
	}
}

// parsed are the traits of a fault on links that are looked into.
func parsed(e *selector.Edge, sc chaos.Scope) chaos.Traits {
	t := e.Traits(sc)
	t.Touches = func(from, to string, z chaos.Zones) (hit, http bool) { return e.On(from, to, z), true }
	return t
}

// some says which part of what a fault hits.
func some(percent *quantity.Share, what, of string) string {
	s := "all " + what
	if percent != nil {
		s = percent.String() + " of " + what
	}
	if of != "" {
		s += " of " + of
	}
	return s
}
