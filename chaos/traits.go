package chaos

import (
	"brunt/chaos/netns"
)

type (
	// Reaching is a Fault that says before the run what it may hit: every unit that it could pick, and
	// both ends of every link that it could be on.
	Reaching interface{ Reaches(sc Scope) []string }

	// Foreign is a Fault that may hit processes that brunt did not start.
	Foreign interface{ PIDs() []int }

	// Finding is a Fault that may hit containers that brunt did not start.
	Finding interface {
		// Finds reports whether the settings select containers by properties in the engine.
		Finds() bool
	}
)

// Tried is a Fault that says before a run whether this machine can inject it, given the result of
// trying each mechanism. Without results it allows the fault: an agent may be able to inject it.
type Tried interface {
	Try(sc Scope, ways func() []netns.Way) error
}

// Inside is a Fault that may be injected in the network of a container.
type Inside interface{ Inside(sc Scope) bool }

// Running is a Fault that may run commands of the scenario's author.
type Running interface{ Runs() bool }

// Led is a Fault that may be aimed at the leader.
type Led interface {
	// LedBy says how to find the leader; nil if the fault does not ask for it.
	LedBy() *Leader
}

// Addressed is a Unit with a listening address.
type Addressed interface{ Addr() string }

// Listening is a Contained unit with known TCP ports.
type Listening interface{ Listens() []uint16 }

// ServiceOf returns the service of a unit, service[i].
func ServiceOf(unit string) string {
	service, _, _ := SplitUnit(unit)
	return service
}
