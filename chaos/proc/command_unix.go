//go:build unix

package proc

import "brunt/targets/platform/procgroup"

// Holding begins a command line that waits for a line from its parent, and ends if the parent dies
// before.
var Holding = []string{"/bin/sh", "-c", `read -r _ <&3 && exec 3<&- && exec "$@"`, "brunt"}

// CanHold reports whether [Holding] can delay a command until its undo is written.
const CanHold = true

// KillTree kills a process and its group.
func KillTree(pid int) { procgroup.Kill(pid) }
