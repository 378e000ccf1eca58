// Package stress runs child processes that consume a resource of a unit: processor time, memory,
// disk bandwidth or disk space.
//
//	brunt --Start--> its own binary, as a child --moved--> the unit's control groups
//	      --Job, as JSON--> works and reports its progress --Report, a line each--> brunt
//
// The journal identifies a child by a mark in its environment, so that the watchdog can end it while brunt is stopped.
// A child cannot outlive brunt. The kernel kills it when the thread that started it ends, and that thread lives as long
// as the child. The child also exits when its standard input is closed, and when the unit ends. It is the first process
// that the kernel kills when memory runs out, unless the job is to get the unit killed.
//
// The same kind of child measures what a process in place of the unit gets: its share of a processor, the speed of a
// disk, the time of its clock.
package stress
