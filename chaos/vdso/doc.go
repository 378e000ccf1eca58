// Package vdso shifts the clock of another process.
//
// Programs read the clock through functions that the kernel maps into every process, the
// vDSO, without a system call. A write to them creates a private copy, so their code can be
// replaced for one process. The new code asks the kernel and adds an offset to the answer.
//
//	clock_gettime(CLOCK_REALTIME)  ->  the kernel's answer + offset
//	clock_gettime(another clock)   ->  the kernel's answer
//
// Only the time of day changes, not the monotonic clocks. The change affects neither a
// program that makes the system call itself nor one that is started later by execve(2). A
// forked process inherits it.
//
// The code is written while every thread of the process is stopped outside it, for less
// than a millisecond.
package vdso
