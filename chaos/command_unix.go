//go:build unix

package chaos

// holding begins a command line that does nothing before it reads a line from whoever
// started it, and nothing at all when that one dies first.
var holding = []string{"/bin/sh", "-c", `read -r _ <&3 && exec 3<&- && exec "$@"`, "brunt"}

const canHold = true

// killTree ends a process with its group.
func killTree(pid int) { killGroup(pid) }
