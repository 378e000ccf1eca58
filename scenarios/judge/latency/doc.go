// Package latency judges response times of good answers beside counts: whether a fault made them slower, and which
// requests took longest.
//
//	latency.go  whether answers were slower while a fault was in
//	slowest.go  the slowest requests of each step
package latency
