// Package judge compares what was measured with objectives and says pass, fail,
// inconclusive or invalid, with the reason.
//
//	measure.Recording --tally--> requests.Sum by phase --objectives, adjustments--> Findings
//	        |                                                                          ^
//	        '--readings: slices of a second--> effect.Ask: effects of faults ----------'
//
// One evaluator does this: [Judge] asks it once the load is over, and [Interim] while it goes on. [HoldsIn], [Steady],
// [Failing] and [VerdictsNow] go by counts alone, each second; whether so many requests decide an objective is
// [requests.Decide] for all of them. Package requests says what the counted requests of an objective show, and whether
// answers were slower. Package series judges the usage of units, named series and the reactions of monitoring. Package
// effect has the statistics of a fault's effect.
//
//	findings.go         Case and Findings: what is asked, and what is answered
//	evaluator.go        the evaluator, and Judge
//	interim.go          the evaluator while the run goes on
//	tally.go            sums cells up by phase, each once
//	readings.go         the counts of a recording, and slices of them for package effect
//	phase.go            the phases of a run, and which cells belong to each
//	phase_objective.go  objectives on a phase
//	adjustment.go       other counts of the same requests, by which an objective on a phase is judged again
//	adjustment_fault.go those of an objective on a fault
//	closed.go           closed loads: what their users did not send while they waited
//	error_budget.go     the requests of a phase over time, for burn and slices
//	occurrence.go       asks package effect about each occurrence of a fault
//	fault.go            objectives on a fault
//	parts.go            the parts of an impact: errors, latency, shed requests, lost writes, a surge of shed
//	                    requests
//	late.go             brunt's own lag around a fault, and whether it could turn an objective
//	unseen.go           what brunt did not see of the target, and whether it could turn an objective on a fault
//	incident.go         the incidents of the run, and recovery from the worst of them
//	spread.go           objectives on percentiles over the occurrences of a fault
//	skipped.go          occurrences that were skipped, because nothing matched
//	hidden.go           takes what brunt did not see for bad
//	index.go            windows and phases by time, for a run of thousands of faults
//	ledger.go           objectives on acknowledged writes, by the ledger
//	condition.go        stop conditions and the steady state, each second
//	baseline.go         a baseline that fails, where no steady state is declared
//	verdict_now.go      where objectives stand, each second
//	table.go            rows of phases, errors and the generator's health, for result.json
//	rows.go             rows of windows, second by second
//
// # Definitions
//
// Each file says where its rule comes from, and a test covers each. Where a definition
// leaves a choice, brunt decides as follows.
//
// Populations:
//
//   - service.p95 is computed over good answers, as ok.p95 is. Max and mean are infinite
//     when a request failed, because a failure counts as slower than any answer.
//   - within(t) counts answers at or under t, among all requests but the shed.
//   - rate counts iterations by their intended time, over the time in which their loads
//     could begin iterations. With a step it counts the requests of that step.
//   - A bad request without a failed check counts as one check that did not hold, because
//     its checks could not be made. So checks is 100 % only where errors is 0 %.
//   - A percentile is the nearest rank. An objective that allows no error needs one request.
//   - A rate of nothing fails a lower bound and never passes an upper bound.
//   - A pass on a share needs its bound: the exact 95 % upper bound of the bad share must lie within
//     the objective (Clopper and Pearson, 1934). 2 of 60 bad requests may be 10 %, so they do not
//     show errors < 5 %: that is inconclusive. An objective on none or all of a share, such as
//     errors = 0%, is a fact about the requests of this run, and needs no bound.
//
// Brunt's own time:
//
//   - An objective on requests is judged twice: as measured, and with brunt's own time taken off:
//     each request's lag and the freezes of brunt within it, without the requests that brunt never
//     sent or had no socket for. The same answer stands, because no lag could turn it. Another
//     answer is invalid for that objective alone, because brunt and not the target decides it.
//   - Where brunt failed at over 1 % of the requests of a phase, no objective passes in it, because
//     the load was not the scheduled one. A failure stands.
//   - Impact, recovery, stop conditions and the steady state leave brunt's own time out. What brunt did not see,
//     because it stood still or failed at each request that was due, may hide an outage of that length. So an objective
//     on a fault that passes is judged again with the requests of such a time as bad, if it is as long as all that the
//     objective allows, or holds the instant by which the objective wants the target good and is a tenth of what is
//     allowed, or holds the end of the outage that was seen. A pass that this turns is invalid. A shorter freeze
//     elsewhere turns nothing.
//   - A request that was sent late saw the target as it was then. Where nearly all were, an outage is longer than
//     measured by as much: a time passes only if it holds with that lag added, if that is a tenth or more of what is
//     allowed.
//   - A fault in which brunt stood still for half of the time or more, or after which it sent more than half of what
//     was due in it, has no "none seen": its impact is unknown.
//   - Whether a fault made answers slower has three answers; see [effect.Slower]. It is yes if they are slower without
//     brunt's own time, and, where brunt was later than in the baseline, without the largest lag of their second. It is
//     no if 95 % bounds exclude that their service time, which leaves out nothing but the time before brunt sent them,
//     is over twice that of the baseline and over 20 ms longer, at the median or at the 95th percentile; 59 good
//     answers can show that. Else it is untested: the impact is unknown, and no objective on the recovery passes,
//     unless the scenario says which answers are slow.
//   - Requests that were due in a fault and that brunt sent after it, because it stood still or was late, did not meet
//     it. An objective in that fault that does not hold with them as bad is invalid.
//   - A request that brunt is not ready to send is not in flight, so that brunt's own lag is no stall of the target.
//   - A timeout is brunt's own where brunt used up a tenth of it, and the target did not have far longer than it ever
//     took: a target that hangs while brunt is late is down.
//
// Spans:
//
//   - burn counts errors as the metric errors does, over everything offered. Its worst span
//     counts. It needs as many requests as its value allows errors.
//   - A slice of slices() counts when something was offered in it, or when a closed load was blocked: none was offered
//     in a stall, see below.
//   - area counts a slice in which nothing was offered in full when the load was stalled for longer than chance
//     explains.
//   - Steady and stop conditions do not support burn and slices, which need spans of time.
//
// Faults:
//
//   - Without a declared steady state nothing is injected into a baseline whose share of bad requests has
//     a 95 % lower bound above the limit, and above what every objective on the run or the baseline
//     allows: such a run shows nothing about its faults, and is invalid. A declared steady state that
//     does not hold is a failure, because the author asked for it.
//   - failed includes the requests that were in flight at the injection; the baseline, its
//     share and its dispersion do not.
//   - The steady state was bad before the injection when two of the last three windows before
//     it were bad, or one was bad beyond doubt, or the baseline as a whole was. The effect of
//     an earlier fault, until recovery from it, and requests in flight at the injection do
//     not count, unless the target hung by then.
//   - A request that is under way at a later injection counts for that fault, unless it has taken twice as long by then
//     as any good answer of its step in the baseline: then the target hung before, and the request counts where it was
//     due.
//   - Of several occurrences the worst is the one whose verdict takes precedence, so that a
//     failure of one that could be judged counts more than one that could not.
//   - recover.p95 and the like are the nearest rank over the occurrences. An occurrence
//     without impact counts as 0, one without recovery as infinity. An unknown occurrence
//     may be either; where that decides, the objective is inconclusive. p95 needs 20
//     occurrences, p50 two.
//   - Requests in flight of which none ends are a stall if 14 of them usually would have ended, by how long good
//     answers of their steps take in the mean, and if they wait for longer than that. So neither one user who is left
//     of a load nor users who begin together look like an outage. In a stall of a closed load five requests of its
//     users usually end. One of several users who waits alone is none.
//   - Where faults overlap in time, a recovery, a loss or a degraded time of one of them passes if it holds
//     for what they did together, and is inconclusive otherwise: which did it is unknown.
//     So is how long that lasted if any of them, or all together, made answers slower for an unknown time. The
//     incident itself is judged by `after incident`.
//   - A skipped occurrence, for which nothing matched, turns a pass into inconclusive.
//   - The impact of a fault that was not verified, or affected no traffic, is unknown, and
//     objectives after it, in it or in its recovery are invalid.
//   - Where require_impact is set and no impact is found, objectives after the fault, in it
//     or in its recovery fail instead of passing. Where the impact is unknown or confounded
//     they are inconclusive. An impact counts as seen even if recovery was not.
//   - The impact is unknown when the load ends, or another fault begins, within a hold.
//   - What counts as bad is apart from budgets: no objective changes the limit, so a wide budget hides
//     no outage and a tight one makes none. The keys of `judge` alone do: limit, and slow, above which an
//     answer is a bad request of impact, recovery and incidents, and of no budget.
//   - Edges of an outage are those of single requests, shed ones included where they surge. An objective that names a
//     time of its own, such as recover(500ms), is judged by windows, because edges know no time but that of `judge`.
//   - Where a fault made answers slower, and the baseline has too few to compute which are slow, no answer is bad. How
//     long that lasted is then unknown, so that no objective on it passes for want of bad requests.
//   - The recovery lasts for a hold after the last bad request, so it is not empty for a target that
//     was good all along.
//   - A time passes only if its whole interval does, and a percentile over occurrences if it does with the ends of
//     theirs.
//   - Without an incident, an objective `after incident` passes only if the requests after each fault are enough to
//     show that there was none.
//
// Writes:
//
//   - An objective is evaluated twice: as if every write that could not be read back were
//     correct, and as if none were. Where the answers differ it is inconclusive.
//
// To add a metric, add a row to slo.Metrics with the function that computes its value.
package judge
