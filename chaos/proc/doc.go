// Package proc inspects processes of this machine, signals them, and says which of them no fault may
// touch.
//
// An [Identity] identifies a process: a pid with its start time and the boot of the machine, so that a
// successor with the same pid is never hit. The files end in the system that they are for.
package proc
