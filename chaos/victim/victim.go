package victim

import (
	"fmt"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/container"
	"brunt/chaos/proc"
)

// A Victim is a unit with its process.
type Victim struct {
	Unit   container.Target
	ID     proc.Identity // zero: the unit does not run yet
	Groups cgroup.System
	Point  func(name string) // marks a point at which brunt could die, for tests
}

// String names the unit and its process, for people.
func (v Victim) String() string {
	if v.ID.PID == 0 || v.Unit.Name() == chaos.PIDName(v.ID.PID) {
		return v.Unit.Name()
	}
	return fmt.Sprintf("%s (pid %d)", v.Unit.Name(), v.ID.PID)
}

func (v Victim) Units() []string { return []string{v.Unit.Name()} }

// Runs reports whether the unit has a process yet.
func (v Victim) Runs() bool { return v.ID.PID != 0 }

// EndedText returns the text that the process has ended.
func (v Victim) EndedText() string { return chaos.PIDName(v.ID.PID) + " is no more" }
