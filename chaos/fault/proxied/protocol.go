package proxied

import (
	"brunt/chaos"
	"brunt/chaos/selector"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// spoken notes an endpoint whose link a fault hits, and that does not speak the protocol that the fault looks into.
func spoken(e *selector.Edge, protocol, inside string, speaks func(*chaos.Endpoint) bool, at syntax.Pos, sc chaos.Scope,
	m *syntax.Mistakes,
) {
	for i := range sc.Endpoints {
		end := &sc.Endpoints[i]
		link := end.Name
		switch {
		case end.NoLink == "":
		case end.Addr != "" && end.Addr == sc.External:
			link = chaos.TargetName
		default:
			continue
		}
		switch {
		case !e.On(chaos.LoadName, link, nil):
		case !speaks(end):
			m.Add(at, "the endpoint %q does not speak %s without TLS, so that no link can look into %s; network.* faults work",
				end.Name, protocol, inside)
		case end.TLS != "":
			m.AddHint(at, "without "+end.TLS+" in its URL, or with a fault of network.*, which looks into nothing",
				"connections to the endpoint %q are encrypted by %s, so that no link can look into %s", end.Name, end.TLS, inside)
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
