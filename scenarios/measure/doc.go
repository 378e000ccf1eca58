// Package measure turns what became of every request into a verdict.
//
//	shard --append--> samples --Fold, once in a while--> cells --when over--> spill file
//	                                                                             |
//	Result <-- Judge <-- impact and recovery <-- phases = sums of cells <---------'
//
// A [Shard] takes the samples of some workers and does nothing with them but to
// keep them; [Recorder.Fold] sorts them into cells. A cell is what was measured of
// one step in one window by the requests that met the same faults; a window is a
// second of intended time, cut in two where a fault was injected or cleared in it.
// Cells whose requests have all ended go to a file, so that memory does not grow
// with the run. Phases are composed after the run as sums of cells, without loss.
//
// The definitions are those that users trust: what is a response time, who counts
// in a percentile, when a fault had an impact and when the target had recovered.
// Each file says where its rule comes from, and a test holds each.
package measure
