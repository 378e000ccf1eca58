package resource

import (
	"runtime"

	"brunt/chaos"
	"brunt/scenarios/syntax"
)

// onlyLinux notes a mistake if this system cannot inject the fault.
func onlyLinux(at syntax.Pos, d chaos.Descriptor, m *syntax.Mistakes) {
	if d.Platform != runtime.GOOS {
		m.Add(at, "%s needs Linux", d.Kind)
	}
}
