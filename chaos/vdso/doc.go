// Package vdso makes the clock of another process be wrong.
//
// Programs read the clock by functions that the kernel lays into every process, the vDSO:
// no system call is made. Their code is the process's own copy as soon as it is written
// to, so other code can be put there for one process alone, which asks the kernel and
// adds to the answer what is asked for.
//
//	clock_gettime(CLOCK_REALTIME)  ->  the kernel's answer + offset
//	clock_gettime(another clock)   ->  the kernel's answer
//
// The time of day is changed, and no clock that spans are measured by. A program that
// makes the system call itself sees nothing of it, and one that is started later neither;
// one that is forked off has what its parent had.
//
// The code is written while every thread of the process is stopped, for less than a
// millisecond, and none of them is in the midst of it.
package vdso
