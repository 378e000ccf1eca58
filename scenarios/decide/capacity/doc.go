// Package capacity finds the largest rate at which a target meets its objectives, as an interval.
//
//	staircase: double the rate until the target breaks, or the maximum is reached
//	bisection: between the last rate that held and the first that broke, each rate
//	           decided by a majority of probes, until the interval is narrow enough
//	after a break: cool down, and repeat the rate that held before, so that the
//	           aftermath of the break is not mistaken for less capacity
//
// The search knows only rates and answers. A [Prober] makes the probes; [RunProber] makes a run for each.
//
// [RunProber.Overload] overloads the target, and says whether it comes back to a rate that it held before.
//
// [Tolerate] searches in the same way for the dose of a fault at which the target stops meeting its objectives:
//
//	grid:      no fault, and at least six doses up to the largest; each change of the answer is reported
//	bisection: of the lowest change
//	both ends: probed afresh until they have the wanted confidence, else moved outwards
//
// A [DoseProber] makes a run of the scenario with one setting of one fault changed.
package capacity
