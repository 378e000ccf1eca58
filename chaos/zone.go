package chaos

import (
	"maps"
	"slices"
	"strings"
)

// Zones maps a unit's name to its zone. A unit that is not in the map has no zone, and neither has the
// load.
type Zones map[string]string

// ZonePrefix begins an end of an edge that is a zone, such as zone/a.
const ZonePrefix = "zone/"

// names lists the zones, sorted.
func (z Zones) names() []string {
	return slices.Compact(slices.Sorted(maps.Values(z)))
}

// Count returns the number of units of a service in a zone; "" is any service.
func (z Zones) Count(zone, service string) int {
	n := 0
	for unit, in := range z {
		if of, _, _ := SplitUnit(unit); in == zone && (service == "" || of == service) {
			n++
		}
	}
	return n
}

// At reports whether name names a unit: by its service, by its own name, or by its zone, such as zone/a.
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
