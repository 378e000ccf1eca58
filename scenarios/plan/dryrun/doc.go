// Package dryrun describes what a plan would do, without doing it.
//
//	Plan --> Describe      loads, timeline and objectives, for people
//	     --> Run        the same, with the steps of every fault, and how each is undone
//	     --> NewPlanFile   a file with all of that, to be reviewed and run later
//	     --> Drift the differences between such a file and the present
//
// It plans every fault against units that do not run yet. It reads the state of the machine and of the Docker engine,
// and changes neither.
//
//	asked.go   tries the questions of a plan once
//	finder.go  finds containers and pods
//	inputs.go  the files that a plan reads, and their digests
package dryrun
