// Package measure turns what became of every request into a verdict.
//
//	shard --append--> samples --Fold, once in a while--> cells --when over--> spill file
//	                                                                             |
//	Result <-- Judge <-- impact and recovery <-- phases = sums of cells <---------'
//
// A [Shard] takes the samples of some workers and does nothing with them but to
// keep them, without a lock; [Recorder.Fold] sorts them into cells. A cell is what was measured of
// one step in one window by the requests that met the same faults; a window is a
// second of intended time, cut in two where a fault was injected or cleared in it.
// Cells whose requests have all ended go to a file, so that memory does not grow
// with the run; where the disk is full they stay in memory, Fold says so, and the run
// is to be ended. Phases are composed after the run as sums of cells, without loss.
//
// The definitions are those that users trust: what is a response time, who counts
// in a percentile, when a fault had an impact and when the target had recovered.
// Each file says where its rule comes from, and a test holds each; the rule for
// impact and recovery is held by simulations (simulation_test.go), which print how
// often it errs.
//
// Where a definition leaves a choice, it is read so:
//
//   - service.p95 is over good answers, as ok.p95 is; max and mean are infinite when
//     a request failed, as that is slower than any answer.
//   - within(t) counts answers in time or at it, in all but the shed.
//   - rate counts iterations by the time intended, over the time that their loads
//     could begin some; with a step, the requests of that step.
//   - burn takes errors as that metric does, in all that was offered; its worst span
//     counts. It needs as many requests as its value allows errors.
//   - a slice of slices() counts when something was offered in it, or when a closed
//     load was blocked: requests under way, none ended, none offered.
//   - a percentile is the nearest rank; an objective that allows no error needs one
//     request.
//   - area takes a slice in which nothing was offered as whole when it was stalled.
//   - failed has the requests that were under way at the injection; the baseline,
//     its share and dispersion do not.
//   - a rate of nothing fails a lower bound and passes no upper one.
//   - bad before the injection is two of the last three windows before it, or one
//     beyond doubt, or a baseline that is bad as a whole; what a fault before it did,
//     until it was recovered from, and what this one caught under way, is not.
//   - of several occurrences the worst is that whose verdict takes precedence, so that
//     invalid is worse than fail.
//   - an objective on one occurrence sets no limit for another.
//   - steady and stop conditions know no burn and no slices, which are of spans.
//
// A new metric of a phase is a case in [Sum]: who counts in it (population), and its
// share or value; one that is measured from a fault is a field of [Answer].
package measure
