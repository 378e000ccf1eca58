package vdso

// A State is the state of a patch in a process.
type State int

// The states.
const (
	Clean   State = iota // the kernel's original code
	Patched              // all of the patch, or a part of it
	Foreign              // other code
)
