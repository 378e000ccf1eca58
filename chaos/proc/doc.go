// Package proc inspects processes of this machine, signals them, and decides which of them no fault may touch.
//
// An [Identity] identifies a process: a pid with its start time and the boot of the machine, so that a successor with
// the same pid is never hit. The suffix of a file names its system.
package proc
