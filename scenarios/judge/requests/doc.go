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
//	whole.go table.go answers that lack parts that their steps expect; rows of result.json
//	answer.go unasked.go span.go results of an objective, the reason of a run without objectives, spans of time
//	unsteady.go                    how the steady state failed before a fault
//	latency.go slowest.go          whether a fault made good answers slower, and which requests took longest
//	relative.go                    objectives that are compared with a reference
//	lost.go                        verdicts that the requests of a lost worker could change
//
// Metrics themselves are rows of [slo.Metrics].
package requests
