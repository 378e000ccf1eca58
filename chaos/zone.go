package chaos

import (
	"maps"
	"slices"
	"strings"
)

// Zones says in which zone a unit stands, by its name. A unit that is not in it stands
// in none, and neither does the load.
type Zones map[string]string

// ZonePrefix begins an end of an edge that is a zone, such as zone/a.
const ZonePrefix = "zone/"

// Zoned is a Fault that may be aimed at zones.
type Zoned interface {
	// InZones lists those that its settings name.
	InZones() []string
}

// names lists the zones.
func (z Zones) names() []string {
	return slices.Compact(slices.Sorted(maps.Values(z)))
}

// Count is how many units of a service stand in a zone; "" is any service.
func (z Zones) Count(zone, service string) int {
	n := 0
	for unit, in := range z {
		if of, _, _ := SplitUnit(unit); in == zone && (service == "" || of == service) {
			n++
		}
	}
	return n
}

// at tells whether a unit is named by name: a service, a unit, or a zone as zone/a.
func (z Zones) At(name, unit string) bool {
	if zone, ok := strings.CutPrefix(name, ZonePrefix); ok {
		in, has := z[unit]
		return has && in == zone
	}
	if name == unit {
		return true
	}
	service, _, ok := SplitUnit(unit)
	return ok && service == name
}
