// Package machine reads what this machine and this program tell of themselves: the
// kernel, processors, memory, limits, clocks and ports, and the version of brunt. It
// decides nothing.
//
//	machine_*.go, clock_*.go, ports_*.go   what the operating system tells; a value that a
//	                                       platform does not have is zero
//	program.go                             version and commit of brunt itself
//
// To add a value, add a function of the same name to each of the platform's files.
package machine
