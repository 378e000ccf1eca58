//go:build !linux

package container

// IsOf tells that no process of this machine is in a container: engines run in a virtual machine
// here, whose numbers of processes are its own.
func IsOf(int, string) bool { return false }
