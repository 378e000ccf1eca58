// Package burner uses up what a unit is to be short of: processor time, memory, a disk.
//
//	brunt --Start--> its own binary, as a child --moved--> the unit's control groups
//	      --Job, as JSON--> burns, and says how far it is --Report, a line each--> brunt
//
// A child can't be left behind. The kernel kills it when brunt's thread that started it
// ends, which lives as long as it does; it ends by itself when its standard input is
// closed; and when the unit does. It is the first that the kernel kills when memory runs
// out, unless the job says that the unit is to be.
//
// The same child measures for brunt what a process in the unit's place gets: how much of
// a processor, how fast a disk, what time it is.
package burner
