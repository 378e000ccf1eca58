// Package capacity finds the largest rate that a target holds its objectives at: an
// interval, not a point.
//
//	staircase: double the rate until it breaks, or the most is reached
//	bisection: between the last that held and the first that broke, each rate by a
//	           majority of probes, until the interval is as narrow as asked
//	after a break: cool down, and hold the rate that held before once more, so that what
//	           the break left behind is not taken for less capacity
//
// It knows rates and answers alone; who asks decides what a probe is.
package capacity
