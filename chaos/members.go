package chaos

import (
	"fmt"
	"runtime"

	"brunt/chaos/cgroup"
	"brunt/scenarios/syntax"
)

// onlyLinux notes that a fault can't be done on another system.
func onlyLinux(at syntax.Pos, kind string, m *syntax.Mistakes) {
	if runtime.GOOS != "linux" {
		m.Add(at, "%s needs Linux", kind)
	}
}

// A victim is a unit with the process that it runs as.
type victim struct {
	unit   Unit
	id     identity // zero is that it does not run yet
	groups cgroup.System
	point  func(name string) // where brunt could die
}

// String says who it is, for people.
func (v victim) String() string {
	if v.id.PID == 0 || v.unit.Name() == pidName(v.id.PID) {
		return v.unit.Name()
	}
	return fmt.Sprintf("%s (pid %d)", v.unit.Name(), v.id.PID)
}

// Units implements [Step].
func (v victim) Units() []string { return []string{v.unit.Name()} }

// runs tells whether there is a process yet.
func (v victim) runs() bool { return v.id.PID != 0 }

// gone says that the victim is no more.
func (v victim) gone() string { return pidName(v.id.PID) + " is no more" }
