// Package machine reads facts about this machine and this program: the kernel, processors, memory, limits, clocks and
// ports, and the version of brunt. It makes no decisions.
//
//	machine_*.go, clock_*.go, ports_*.go   what the operating system reports; a value that a
//	                                       platform does not have is zero
//	program.go                             version and commit of brunt
//	frugal.go                              the memory of brunt while it judges a run
//
// To add a value, add a function with the same name to the file of each platform.
package machine
