// Package counted says what the counted requests of an objective show: the value of its metric, the 95 %
// interval, and whether there are enough requests for a verdict.
//
//	measure.Counts --Selects--> Sum --Measure, Holds--> value, and whether the objective holds
//	measure.Cell, by second --> Blocks --Interval-----> 95 % interval
//	                            Need, Unshown, BeyondDoubt: whether so many requests decide
//
//	select.go    which series an objective selects
//	sum.go       the counts of those in a phase, and the value of each metric over them
//	limits.go    the times that objectives name, which the recorder counts answers against
//	interval.go  95 % intervals of shares and percentiles, by blocks
//	valid.go     whether brunt's own time decides an objective
//	need.go      how many requests decide an objective
//	spread.go    percentiles over the occurrences of a fault
//	whole.go     answers that lack some of what their steps want
//	table.go     figures of the rows of result.json
//
// Metrics themselves are rows of [slo.Metrics].
package counted
