package chaos

import (
	"brunt/chaos/netns"
) // Reaching is a Fault that tells beforehand whom it may touch: every unit that it could

// pick, and both ends of every link that it could be on.
type (
	Reaching interface{ Reaches(sc Scope) []string } // Foreign is a Fault that may hit processes that brunt did not start.
	Foreign  interface{ PIDs() []int }               // Finding is a Fault that may hit containers that brunt did not start.
	Finding  interface {                             // Finds tells that its settings select some by what the engine says of them.
		Finds() bool
	} // Tried is a Fault that tells before a run whether this machine can do it at all, by what
)

// Each mechanism came to when it was tried. Nobody knows where nothing could be tried: a
// helper may do it.
type Tried interface {
	Try(sc Scope, ways func() []netns.Way) error
}

// Inside is a Fault that may be done in the network of a container.
type Inside interface{ Inside(sc Scope) bool }

// Running is a Fault that may run commands of its author's.
type Running interface{ Runs() bool }

// Led is a Fault that may be aimed at the leader.
type Led interface {
	// LedBy is how the leader is found; nil where that is not asked for.
	LedBy() *Leader
}

// Addressed is a Unit that listens somewhere.
type Addressed interface{ Addr() string }

// Listening is a Contained unit that is known to listen on ports of TCP.
type Listening interface{ Listens() []uint16 }

// ServiceOf is the service of a unit, service[i].
func ServiceOf(unit string) string {
	service, _, _ := SplitUnit(unit)
	return service
}
