// Package answer holds what the packages of the judge share: the answer to an objective that cannot be
// judged, which of two answers is worse, and spans of time.
//
//	answer.go  answers to an objective
//	span.go    stretches of time
package answer
