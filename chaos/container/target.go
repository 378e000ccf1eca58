package container

import "brunt/chaos"

// A Target is a unit that a fault hits, resolved once: when the fault is planned.
type Target struct {
	chaos.Unit
	// Contained is the unit, with the network of its container; nil means that the unit is in no container.
	Contained chaos.Contained
	// Container is the container of an engine that the unit is; nil means that no engine runs the unit.
	Container *Container
}

// Resolve returns the target of a unit.
func Resolve(u chaos.Unit) Target {
	contained := u.Traits().Contained
	c, _ := contained.(*Container)
	return Target{u, contained, c}
}

// ResolveAll returns the targets of units.
func ResolveAll(units []chaos.Unit) []Target {
	var out []Target
	for _, u := range units {
		out = append(out, Resolve(u))
	}
	return out
}
