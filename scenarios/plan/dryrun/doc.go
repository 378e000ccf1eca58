// Package dryrun says what a plan would do, and does nothing of it.
//
//	Plan --> Describe      loads, timeline and objectives, for people
//	     --> DryRun        the same, with the steps of every fault, and how each is undone
//	     --> Foresee       a file with all of that, to be reviewed and run later
//	     --> Drift         what differs between such a file and what would be done now
//
// It plans every fault against units that do not run yet. It reads the machine and the
// Docker engine, and changes neither.
package dryrun
