// Package machine reads facts about this machine and this program: the kernel, processors, memory,
// limits, clocks and ports, and the version of brunt. It decides nothing.
//
//	machine_*.go, clock_*.go, ports_*.go   what the operating system reports; a value that a
//	                                       platform does not have is zero
//	program.go                             version and commit of brunt
//	frugal.go                              the memory of brunt while it judges a run
//
// To add a value, add a function of the same name to each of the platform's files.
package machine
