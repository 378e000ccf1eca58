// Package forecast compares a planned run with its objectives before it starts. It estimates how many requests the
// load offers in each span, and when each fault is injected and cleared. It refuses objectives that no such run can
// decide, with the figure that is too small and a remedy.
//
//	loads ---> requests in a span ---.
//	                                  >--- [Plan.Check] --> mistakes, notes
//	faults --> when each is in ------'
//
//	check.go       the comparisons, and their order
//	objectives.go  too few requests, too little time after a fault, a stop condition that comes
//	               before recovery can be measured
//	readings.go    too few readings of a figure of the target
//	inside.go      a recovery that has to come while its fault is active
//	mend.go        remedies: move a fault, a longer load, a higher rate, a shorter hold
//	ports.go       connections that the loads open, against the ports of this machine
//
// # To add to it
//
// Add a method to the check and call it in [Plan.Check]. Its message states by how much the scenario falls short, at
// the place in the file that has to be changed. Add its cases to plantest/corpus/unjudgeable.txtar, with a similar
// case that is just enough.
package forecast
