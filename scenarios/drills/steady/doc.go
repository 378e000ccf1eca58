// Package steady tells whether a system that brunt did not start answers as it did before the drills. A drill that is laid over a
// system which is still broken would be about the drill before it.
//
//	plan --Reduce--> probe: a few seconds of its load, without faults --run--> State: failures and times by step
//	                                                                             |
//	before the first drill: the State that all later ones are held against       |
//	after each drill: Wait probes until the State is like that, or time is up <--'
//
//	probe.go  the plan of a probe
//	state.go  what a probe found, and whether two are alike
//	wait.go   probes until the system answers as before
package steady
