// Package register decides from a history of reads and writes whether registers were linearizable, and names the
// operations that show that they were not.
//
//	[]Op --clusters: a write and the reads of its value--> zones --> Report: counts, staleness, witnesses
//
// A register holds one value. Each write of a history writes a value of its own, so the write of each read is known,
// and no search is needed: the zone of a value, from the first end to the last begin of its operations, decides in n
// log n (P. B. Gibbons and E. Korach, Testing Shared Memories, 1997; W. Golab, X. Li and M. A. Shah, Analyzing
// Consistency Properties for Fun and Profit, 2011). A write with an unknown outcome ends at infinity. It is left out if
// no read returned its value, because then it may have had no effect.
//
// Operations that overlap in time may have taken effect in either order. A history can only convict: without an
// anomaly, the operations in it show none.
//
//	op.go         operations, the history
//	cluster.go    the operations on each value, and what is left out
//	stale.go      reads of values that were replaced, and how long ago
//	lost.go       writes that were gone in the end
//	divergent.go  copies that do not converge
//	swap.go       compare-and-sets: values that were replaced twice, and a search for an order, with a time limit
//	zones.go      whether the rest fits into one order
//	report.go     anomalies, witnesses, the curve of staleness
package register
