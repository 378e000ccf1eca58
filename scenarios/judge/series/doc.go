// Package series judges objectives by data other than requests: figures of the target over time, and the reactions of
// the team's own monitoring. It also finds the spans in which the target was stalled.
//
//	series.go counters.go units.go reached.go   figures of the target, and when they reach a value
//	cases.go judge.go                           how soon a fault, or a stage of a load, showed in monitoring
//	stalls.go                                   whether requests in flight show a stall
//
// A reaction is known to lie between two queries. The effect of the fault on the load does not matter for it.
package series
