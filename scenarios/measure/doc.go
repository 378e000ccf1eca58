// Package measure records the outcome of every request of a run and counts the outcomes.
//
//	Shard --append--> samples --Fold, a few times a second--> cells --window closed--> spill file
//	                                                            |                         |
//	                          Interval, Baseline, Snapshot <----'       Recording <-------'
//
// A [Shard] belongs to some workers and only stores their samples, without a lock. [Recorder.Fold] sorts the samples
// of all shards into cells. A [Cell] counts the requests of one step that were intended in one window and met the
// same faults. A window is a second of intended time; it is cut when a fault is injected or cleared.
//
// Cells whose requests have all ended go to a file, so that memory does not grow with the
// length of the run. When the disk is full the cells stay in memory, Fold returns an error,
// and the caller ends the run; nothing is lost.
//
// [Recorder.Finish] returns a [Recording], which reads the cells back. Package judge adds them up into phases and
// compares them with objectives; package effect finds the effects of faults. This package knows nothing about
// objectives: it counts the limits and phases that a [Config] names.
//
//	recorder.go    Recorder: the configuration, and when faults are injected and cleared
//	shard.go       the samples of some workers, without a lock
//	fold.go        sorts the samples of all shards into cells
//	window.go      open windows: seconds, cut when a fault is injected or cleared
//	cell.go        the counts of one step, window and set of faults
//	counts.go      counts summed over cells, with or without distributions
//	slow_limit.go  the time above which an answer is slow, from the baseline
//	times.go       a distribution of times with its exact sum and maximum
//	phase_times.go where requests spend their time: DNS, connect, TLS, first byte and others
//	tally.go       a sparse histogram
//	history.go     occurrences of faults, and the phases that a cell belongs to
//	spill.go       the file that closed cells go to (unlink_*.go removes its name)
//	recording.go   Recording and Snapshot: cells, read back
//	histograms.go  the distributions of a result, by number, for latency.hlog
//	totals.go      running totals of every phase
//	ship.go        the batches that a worker sends to its run
//	absorb.go      adds the batches of workers to the run's recorder
//	live.go        the requests that ended in the last second, and the baseline so far
//	live_steps.go  the same by step
//
//	edges.go       when requests were good and when bad, exact to the request
//	slowest.go     the slowest requests
//	pulse.go       the spans in which brunt itself did not run
//	wire.go        reads encoded numbers
//
// Package samples keeps requests that reports show in full.
//
// To count something new, add a field to [Cell], count it in Cell.record, add it in
// cell.addCounts, list it in Cell.numbers for the spill file, and copy it into [Counts] if
// objectives need it.
package measure
