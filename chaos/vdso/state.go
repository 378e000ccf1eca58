package vdso

// A State is what a process has of a patch.
type State int

// The states.
const (
	Clean   State = iota // what the kernel gave it
	Patched              // all of it, or a part
	Foreign              // something else
)
