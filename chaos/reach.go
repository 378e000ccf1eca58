package chaos

import (
	"fmt"
	"slices"
	"strings"
)

// Reaching is a Fault that tells beforehand whom it may touch: every unit that it could
// pick, and both ends of every link that it could be on.
type Reaching interface{ Reaches(sc Scope) []string }

// Foreign is a Fault that may hit processes that brunt did not start.
type Foreign interface{ PIDs() []int }

// Finding is a Fault that may hit containers that brunt did not start.
type Finding interface {
	// Finds tells that its settings select some by what the engine says of them.
	Finds() bool
}

// Finds implements [Finding].
func (s *Selector) Finds() bool { return !s.query().IsZero() }

// PIDs implements [Foreign].
func (s *Selector) PIDs() []int {
	if s.PID == 0 {
		return nil
	}
	return []int{s.PID}
}

// Reaches implements [Reaching].
func (s *Selector) Reaches(sc Scope) []string {
	switch {
	case s.PID != 0:
		return []string{pidName(s.PID)}
	case s.Unit != "":
		return []string{s.Unit}
	case s.Container != "":
		return []string{containerPrefix + s.Container}
	case !s.query().IsZero():
		return nil // who they are is known only in the run
	}
	units := sc.units()
	if s.Service != "" {
		units = sc.unitsOf(s.Service)
	}
	if s.Zone != "" {
		units = slices.DeleteFunc(units, func(u string) bool { return sc.Zones[u] != s.Zone })
	}
	return units
}

// Reaches implements [Reaching].
func (e *Edge) Reaches(sc Scope) []string {
	var out []string
	for _, end := range []string{e.From, e.To} {
		if strings.HasPrefix(end, containerPrefix) {
			out = append(out, end)
		}
	}
	if e.Container != "" {
		out = append(out, containerPrefix+e.Container)
	}
	if e.byPackets(sc.contained) { // no link has to be declared for that
		for _, unit := range sc.units() {
			for _, end := range []string{e.From, e.To, e.Service, e.Unit, zonePrefix + e.Zone} {
				if end != "" && sc.Zones.at(end, unit) {
					out = append(out, unit)
				}
			}
		}
	}
	for _, l := range sc.pairs() {
		if e.on(l.From, l.To, sc.Zones) {
			out = append(out, l.From, l.To)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// units lists all units of the target.
func (sc Scope) units() []string {
	var out []string
	for service := range sc.Services {
		out = append(out, sc.unitsOf(service)...)
	}
	slices.Sort(out)
	return out
}

// unitsOf lists the units of a service. What has no replicas of its own, as the load
// and a target that runs already, is called by its name.
func (sc Scope) unitsOf(service string) []string {
	n, known := sc.Services[service]
	if !known {
		return []string{service}
	}
	const most = 10_000 // replicas; a service that is only named has no number of them
	var out []string
	for i := range min(n, most) {
		out = append(out, unitName(service, i))
	}
	return out
}

// unitName is the name of a replica.
func unitName(service string, i int) string { return fmt.Sprintf("%s[%d]", service, i) }

// pidName is what a process is called that brunt did not start.
func pidName(pid int) string { return fmt.Sprintf("pid %d", pid) }

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
		service, _, ok := splitUnit(unit)
		if !ok {
			service = unit
		}
		switch {
		case slices.Contains(p.Services, service), slices.Contains(p.Units, unit):
			return unit, true
		case slices.ContainsFunc(p.PIDs, func(pid int) bool { return pidName(pid) == unit }):
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
