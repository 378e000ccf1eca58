package chaos

import (
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// Zones says in which zone a unit stands, by its name. A unit that is not in it stands
// in none, and neither does the load.
type Zones map[string]string

// zonePrefix begins an end of an edge that is a zone, such as zone/a.
const zonePrefix = "zone/"

// Zoned is a Fault that may be aimed at zones.
type Zoned interface {
	// InZones lists those that its settings name.
	InZones() []string
}

// names lists the zones.
func (z Zones) names() []string {
	return slices.Compact(slices.Sorted(maps.Values(z)))
}

// count is how many units of a service stand in a zone; "" is any service.
func (z Zones) count(zone, service string) int {
	n := 0
	for unit, in := range z {
		if of, _, _ := splitUnit(unit); in == zone && (service == "" || of == service) {
			n++
		}
	}
	return n
}

// at tells whether a unit is named by name: a service, a unit, or a zone as zone/a.
func (z Zones) at(name, unit string) bool {
	if zone, ok := strings.CutPrefix(name, zonePrefix); ok {
		in, has := z[unit]
		return has && in == zone
	}
	if name == unit {
		return true
	}
	service, _, ok := splitUnit(unit)
	return ok && service == name
}

// knowsZone tells whether there is such a zone, and notes that there is none.
func (sc *Scope) knowsZone(at syntax.Pos, zone string, m *syntax.Mistakes) bool {
	known := sc.Zones.names()
	if len(known) == 0 {
		sc.none(at, m, "`zones: [a, b]` beside a service's replicas puts them in turn into zones", "there is no zone %q: no unit stands in any", zone)
		return false
	}
	if !slices.Contains(known, zone) {
		hint := syntax.DidYouMean(zone, known)
		if hint == "" {
			hint = "known are " + strings.Join(known, ", ")
		}
		sc.none(at, m, hint, "there is no zone %q", zone)
		return false
	}
	return true
}

// pairs lists the links between units that the declared ones stand for.
func (sc *Scope) pairs() []EdgeName {
	var out []EdgeName
	for _, e := range sc.Edges {
		for _, from := range sc.unitsOf(e.From) {
			for _, to := range sc.unitsOf(e.To) {
				out = append(out, EdgeName{from, to})
			}
		}
	}
	return out
}
