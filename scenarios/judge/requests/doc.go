// Package requests judges objectives by counted requests: the value of the metric, its 95 % interval, and whether
// there are enough requests for a verdict.
//
//	measure.Counts --Selects--> Sum --Measure, Holds--> value, and whether the objective holds
//	measure.Cell, by second --> Blocks --Interval-----> 95 % interval
//	                            Need, unshown, beyondDoubt --Decide--> verdict
//
//	select.go sum.go limits.go     which series an objective selects, their counts in a phase, the times that it names
//	interval.go spread.go          95 % intervals of shares and percentiles by blocks; percentiles over occurrences
//	decide.go need.go valid.go     the verdict; how many requests decide; whether brunt's own time decides
//	whole.go table.go              answers that lack some of what their steps want; rows of result.json
//	answer.go unasked.go span.go   answers to an objective, what a run without objectives found, stretches of time
//	unsteady.go                    what was wrong before a fault
//	latency.go slowest.go          whether a fault made good answers slower, and which requests took longest
//	relative.go                    objectives that are held to a reference
//	lost.go                        what the loss of a worker leaves open
//
// Metrics themselves are rows of [slo.Metrics].
package requests
