// Package proc looks at processes of this machine, signals them, and says which of them no fault may
// touch.
//
// A process is meant by its [Identity], a PID with its start time and the boot of the machine, so that a
// successor of the number is never hit. The files end in the system that they are for.
package proc
