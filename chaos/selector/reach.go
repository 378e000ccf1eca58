package selector

import (
	"slices"
	"strings"

	"brunt/chaos"
)

// Traits implements [chaos.Fault] for a fault on units.
func (s *Selector) Traits(sc chaos.Scope) chaos.Traits {
	total := s.matches(sc)
	t := chaos.Traits{
		Units: s.pick().Of(max(1, s.roles().among(total)), total), Reaches: s.reaches(sc),
		Finds: !s.Query().IsZero(), Asks: s.roles().question(),
	}
	t.All = s.Unit == "" && s.pick().all
	t.Follows = follows(s.Follow, t.All)
	if s.PID != 0 {
		t.PIDs = []int{s.PID}
	}
	if s.Zone != "" {
		t.Zones = []string{s.Zone}
	}
	return t
}

// follows reports whether units that join are hit too, by the setting; without a setting, they are if the fault hits
// all units.
func follows(setting string, all bool) bool { return setting == "yes" || setting == "" && all }

// Traits implements [chaos.Fault] for a fault on links.
func (e *Edge) Traits(sc chaos.Scope) chaos.Traits {
	one := strings.Contains(e.subject(), "[")
	all := !one && (e.all() || e.Pick.all)
	packets := e.ByPackets(sc.Contained)
	return chaos.Traits{
		All: all, Follows: follows(e.Follow, all),
		Units: e.hits(sc), Reaches: e.reaches(sc), Zones: e.zones(), Asks: e.roles().question(),
		InNetwork: packets,
		Touches: func(from, to string, z chaos.Zones) (hit, http bool) {
			return !packets && e.On(from, to, z), false
		},
	}
}

// reaches lists the units that the selector could pick.
func (s *Selector) reaches(sc chaos.Scope) []string {
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

// reaches lists the ends of the links that the edge could hit.
func (e *Edge) reaches(sc chaos.Scope) []string {
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
