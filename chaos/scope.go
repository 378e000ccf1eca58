package chaos

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/syntax"
) // KnowsZone tells whether there is such a zone, and notes that there is none.

func (sc *Scope) KnowsZone(at syntax.Pos, zone string, m *syntax.Mistakes) bool {
	known := sc.Zones.names()
	if len(known) == 0 {
		sc.NoMatch(at, m, "`zones: [a, b]` beside a service's replicas puts them in turn into zones", "there is no zone %q: no unit stands in any", zone)
		return false
	}
	if !slices.Contains(known, zone) {
		hint := syntax.DidYouMean(zone, known)
		if hint == "" {
			hint = "known are " + strings.Join(known, ", ")
		}
		sc.NoMatch(at, m, hint, "there is no zone %q", zone)
		return false
	}
	return true
}

// Pairs lists the links between units that the declared ones stand for.
func (sc *Scope) Pairs() []EdgeName {
	var out []EdgeName
	for _, e := range sc.Edges {
		for _, from := range sc.UnitsOf(e.From) {
			for _, to := range sc.UnitsOf(e.To) {
				out = append(out, EdgeName{from, to})
			}
		}
	}
	return out
}

// Units lists all units of the target.
func (sc Scope) Units() []string {
	var out []string
	for service := range sc.Services {
		out = append(out, sc.UnitsOf(service)...)
	}
	slices.Sort(out)
	return out
}

// UnitsOf lists the units of a service. What has no replicas of its own, as the load
// and a target that runs already, is called by its name.
func (sc Scope) UnitsOf(service string) []string {
	n, known := sc.Services[service]
	if !known {
		return []string{service}
	}
	const most = 10_000 // replicas; a service that is only named has no number of them
	var out []string
	for i := range min(n, most) {
		out = append(out, UnitName(service, i))
	}
	return out
}

// UnitName is the name of a replica.
func UnitName(service string, i int) string { return fmt.Sprintf("%s[%d]", service, i) }

// PIDName is what a process is called that brunt did not start.
func PIDName(pid int) string { return fmt.Sprintf("pid %d", pid) }

// Protected is whom no fault may touch.
type Protected struct {
	Services   []string
	Units      []string // service[i]
	PIDs       []int
	Containers []string // by their names in the engine
}

// Has tells whether a unit is protected, or an end of a link, from->to.
func (p *Protected) Has(name string) (whom string, yes bool) {
	for unit := range strings.SplitSeq(name, "->") {
		service, _, ok := SplitUnit(unit)
		if !ok {
			service = unit
		}
		switch {
		case slices.Contains(p.Services, service), slices.Contains(p.Units, unit):
			return unit, true
		case slices.ContainsFunc(p.PIDs, func(pid int) bool { return PIDName(pid) == unit }):
			return unit, true
		case slices.ContainsFunc(p.Containers, func(name string) bool { return ContainerName(name) == unit }):
			return unit, true
		}
	}
	return "", false
}

// Refused is why the steps may not be made: one of them would touch what is protected.
// What a fault picks is known only now.
func (e Env) Refused(steps []Step) error {
	if e.Spare == nil {
		return nil
	}
	for _, s := range steps {
		for _, u := range s.Units() {
			if err := e.Spare(u); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
	}
	return nil
}

// Contained tells whether the units of a name are containers.
func (sc *Scope) Contained(name string) bool {
	if strings.HasPrefix(name, ContainerPrefix) {
		return true
	}
	if service, _, ok := SplitUnit(name); ok {
		name = service
	}
	_, known := sc.Services[name]
	return sc.Found[name] || sc.Containers && (known || strings.HasPrefix(name, ZonePrefix))
}

// Contained tells whether the units of a name are containers.
func (env *Env) Contained(name string) bool {
	return strings.HasPrefix(name, ContainerPrefix) || slices.ContainsFunc(env.Units, func(u Unit) bool {
		_, ok := u.(Contained)
		return ok && env.Zones.At(name, u.Name())
	})
}

// SplitUnit takes service[i] apart.
func SplitUnit(s string) (service string, index int, ok bool) {
	service, rest, found := strings.Cut(s, "[")
	num, closed := strings.CutSuffix(rest, "]")
	i, err := strconv.Atoi(num)
	return service, i, found && closed && err == nil && i >= 0
}

// Bound refuses to hit more units than the guard allows.
func (e Env) Bound(n int) error {
	if e.MaxUnits > 0 && n > e.MaxUnits {
		return fmt.Errorf("it would hit %d units, and max_units is %d", n, e.MaxUnits)
	}
	return nil
}

// ContainerPrefix begins the name of a unit that is a container of the engine and belongs
// to no service of the scenario, such as container/web. An end of an edge may be one.
const ContainerPrefix = "container/"

// ContainerName is what the container with a name is called as a unit.
func ContainerName(name string) string { return ContainerPrefix + name }
