package resource

import (
	"runtime"

	"brunt/scenarios/syntax"
)

// onlyLinux notes that a fault can't be done on another system.
func onlyLinux(at syntax.Pos, kind string, m *syntax.Mistakes) {
	if runtime.GOOS != "linux" {
		m.Add(at, "%s needs Linux", kind)
	}
}
