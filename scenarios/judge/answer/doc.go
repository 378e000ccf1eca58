// Package answer holds what the packages of the judge share: the answer to an objective that cannot be
// judged, which of two answers is worse, what a run without objectives found, and spans of time.
//
//	answer.go  answers to an objective
//	unasked.go what a run without objectives found
//	span.go    stretches of time
//	unsteady.go  what was wrong before a fault
package answer
