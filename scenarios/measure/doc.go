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
// The files, in the order that a sample passes through them:
//
//	recorder.go    Recorder: what is measured, when faults came and went
//	shard.go       a worker's samples, without a lock
//	fold.go        sorts the samples of all shards into cells
//	window.go      windows that are open: seconds, cut where a fault came or went
//	cell.go        what is counted of one step, window and set of faults
//	tally.go       a sparse histogram of times
//	spill.go       the file that closed cells go to (unlink_*.go: without a trace)
//	writes.go      every write of the ledger, in a file
//	slowest.go     the slowest requests of every step
//	slow_asked.go  how the slowest requests of every step were asked, as curl commands
//	samples.go     the first failed request of every step and cause
//	limit.go       times that objectives name, counted request by request
//	live.go        the last second for those who watch; stop and steady conditions
//	live_steps.go  the same by step, for who asks for it
//	standing.go    how objectives stand in the middle of a run, by counts
//	sofar.go       what Finish would compose, in the middle of a run
//	compose.go     Case and Findings: reads cells back and sums them up
//	phase.go       the phases of a run, and which cells belong to each
//	sum.go         what an objective is judged by: population, share and value
//	episode.go     asks what each fault did, with what is its doing and what is not
//	impact.go      Ask: onset, failover, recovery, and what was lost
//	tile.go        windows of detection, and whether one is bad
//	recovery.go    holds: whether a stretch shows that it is good again
//	unsteady.go    whether it was bad before the injection
//	judge.go       objectives on phases
//	judge_fault.go objectives on faults, and what is known of one at all
//	judge_ledger.go objectives on writes, and what is known of them
//	detect.go      objectives on when the team's own monitoring noticed a fault
//	judge_series.go objectives on units' own figures and on named series, and how they grow
//	judge_spread.go objectives on percentiles over a fault's occurrences
//	skipped.go     occurrences that did not come, as nothing matched
//	interval.go    the 95 % intervals of shares and percentiles, by blocks
//	budget.go      burn and slices, which are of spans
//	stats.go       binomial tails, bounds, and how many requests are enough
//	smallest.go    the smallest outage that a load can show
//	table.go       rows of phases, errors and the generator's health, for result.json
//	rows.go        rows of windows, second by second
//	histograms.go  the distributions that rows refer to, for latency.hlog
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
//   - a bad request without a failed check counts as one check that did not hold:
//     one that could not be made. So checks is 100 % only where errors is 0 %.
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
//   - recover.p95 and the like are the nearest rank over the occurrences, those without
//     impact at 0 and those not recovered from at infinity. One that is unknown may be
//     either: where that decides, it is inconclusive. p95 needs 20 occurrences, p50 two.
//   - an occurrence that was skipped, as nothing matched, makes inconclusive what would
//     have passed.
//   - of a fault that was not verified, or met no traffic, nothing is known: its impact
//     is unknown, and objectives after it, in it or in its recovery are invalid.
//   - where require_impact finds none, objectives after the fault, in it or in its
//     recovery fail instead of passing; where the impact is unknown or confounded
//     they are inconclusive. An impact counts as seen though recovery was not.
//   - the impact is unknown when the load ends, or another fault comes, within a hold.
//   - an objective on one occurrence sets no limit for another.
//   - of writes that were not read back, an objective is asked twice: as if each were as
//     it should be, and as if none were. Where the answers differ it is inconclusive.
//   - steady and stop conditions know no burn and no slices, which are of spans.
//
// A new metric of a phase is a case in [Sum]: who counts in it (population), and its
// share or value; one that is measured from a fault is a field of [Answer].
package measure
