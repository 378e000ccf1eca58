// Package series judges objectives by series that are not requests: figures of the target, the reactions of the
// team's own monitoring, and stretches in which the target took no requests.
//
//	series.go counters.go units.go reached.go   figures of the target, and when they reach a value
//	cases.go judge.go                           how soon a fault, or a stage of a load, showed in monitoring
//	stalls.go                                   whether requests in flight tell of a stall
//
// A reaction is known to lie between two queries. Its effect on the load plays no part.
package series
