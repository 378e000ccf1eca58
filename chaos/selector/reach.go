package selector

import (
	"slices"
	"strings"

	"brunt/chaos"
)

// Finds implements [chaos.Finding].
func (s *Selector) Finds() bool { return !s.Query().IsZero() }

// PIDs implements [chaos.Foreign].
func (s *Selector) PIDs() []int {
	if s.PID == 0 {
		return nil
	}
	return []int{s.PID}
}

// Reaches implements [chaos.Reaching].
func (s *Selector) Reaches(sc chaos.Scope) []string {
	switch {
	case s.PID != 0:
		return []string{chaos.PIDName(s.PID)}
	case s.Unit != "":
		return []string{s.Unit}
	case s.Container != "":
		return []string{chaos.ContainerPrefix + s.Container}
	case !s.Query().IsZero():
		return nil // the containers are known only during the run
	}
	units := sc.Units()
	if s.Service != "" {
		units = sc.UnitsOf(s.Service)
	}
	if s.Zone != "" {
		units = slices.DeleteFunc(units, func(u string) bool { return sc.Zones[u] != s.Zone })
	}
	return units
}

// Reaches implements [chaos.Reaching].
func (e *Edge) Reaches(sc chaos.Scope) []string {
	var out []string
	for _, end := range []string{e.From, e.To} {
		if strings.HasPrefix(end, chaos.ContainerPrefix) {
			out = append(out, end)
		}
	}
	if e.Container != "" {
		out = append(out, chaos.ContainerPrefix+e.Container)
	}
	if e.ByPackets(sc.Contained) { // packets need no declared link
		for _, unit := range sc.Units() {
			for _, end := range []string{e.From, e.To, e.Service, e.Unit, chaos.ZonePrefix + e.Zone} {
				if end != "" && sc.Zones.At(end, unit) {
					out = append(out, unit)
				}
			}
		}
	}
	for _, l := range sc.Pairs() {
		if e.On(l.From, l.To, sc.Zones) {
			out = append(out, l.From, l.To)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Inside implements [chaos.Inside].
func (e *Edge) Inside(sc chaos.Scope) bool { return e.ByPackets(sc.Contained) }
