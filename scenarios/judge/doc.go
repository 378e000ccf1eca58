// Package judge compares measurements with objectives and decides pass, fail, inconclusive or invalid, with a reason.
//
//	measure.Recording --tally--> requests.Sum by phase --objectives, adjustments--> Findings
//	        |                                                                          ^
//	        '--readings: slices of a second--> effect.Ask: effects of faults ----------'
//
// One evaluator does this: [Judge] runs it when the load is over, and [Interim] while the load goes on. [HoldsIn],
// [Steady], [Failing] and [VerdictsNow] judge by counts alone, each second. [requests.Decide] decides for all of them
// whether there are enough requests for a verdict. Package requests judges objectives by their counted requests, and
// whether answers were slower. Package series judges the usage of units, named series and the reactions of
// monitoring. Package effect has the statistics of a fault's effect.
//
//	findings.go         Case and Findings: the input and the output of a judge
//	evaluator.go        the evaluator, and Judge
//	interim.go          the evaluator while the run goes on
//	tally.go            adds up cells by phase, each cell once
//	readings.go         the counts of a recording, and slices of them for package effect
//	phase.go            the phases of a run, and which cells belong to each
//	phase_objective.go  objectives on a phase
//	adjustment.go       adjusted counts of the same requests, by which an objective on a phase is judged again
//	adjustment_fault.go adjustments of an objective on a fault
//	closed.go           closed loads: corrections for requests that waiting users did not send
//	error_budget.go     the requests of a phase over time, for burn and slices
//	occurrence.go       asks package effect about each occurrence of a fault
//	fault.go            objectives on a fault
//	parts.go            the parts of an impact: errors, latency, shed requests, lost writes, a surge of shed
//	                    requests
//	late.go             brunt's own lag around a fault, and whether it could change a verdict
//	unseen.go           spans that brunt did not observe, and whether an outage in them could change a verdict
//	incident.go         the incidents of the run, and recovery from the worst of them
//	attribution.go      which faults an incident belongs to, and by what evidence
//	spread.go           objectives on percentiles over the occurrences of a fault
//	skipped.go          occurrences that were skipped, because nothing matched
//	unrecovered.go      why a load had not recovered from a fault by its end
//	hidden.go           counts requests in spans that brunt did not observe as bad
//	held.go             seconds in which other programs held the processors, and whether these decide a failure
//	index.go            windows and phases by time, for a run of thousands of faults
//	ledger.go           objectives on acknowledged writes, by the ledger
//	consistency.go      objectives on reads and writes of registers
//	condition.go        stop conditions and the steady state, each second
//	baseline.go         a baseline that fails although no steady state is declared
//	verdict_now.go      verdicts of objectives so far, each second
//	table.go            rows of phases, errors and the generator's health, for result.json
//	rows.go             rows of windows, second by second
//
// # Definitions
//
// Each file names the source of its rule, and a test covers each rule. Where a definition leaves a choice, brunt
// decides as follows.
//
// Populations:
//
//   - service.p95 is computed over good answers, like ok.p95. Max and mean are infinite when a request failed,
//     because a failure counts as slower than any answer.
//   - within(t) counts answers at or under t, among all requests but the shed.
//   - rate counts iterations by their intended time, over the time in which their loads
//     could begin iterations. With a step it counts the requests of that step.
//   - A bad request without a failed check counts as one check that did not hold, because its checks could not be
//     made. So checks is 100 % only if errors is 0 %.
//   - A percentile is the nearest rank. An objective that allows no error needs one request.
//   - A rate of zero fails a lower bound and never passes an upper bound.
//   - A pass on a share needs its bound: the exact 95 % upper bound of the bad share must lie within the objective
//     (Clopper and Pearson, 1934). With 2 bad requests of 60 the bad share may be 10 %, so an objective of at most 5
//     % errors is inconclusive. An objective that requires a share of 0 % or 100 %, such as errors = 0%, is a fact
//     about the requests of this run, and needs no bound.
//   - The steps that are skipped after an error fail with it: the bound, and what shows an outage, count them as one
//     event with it.
//
// Brunt's own time:
//
//   - An objective on requests is judged twice: as measured, and without brunt's own time. The second count subtracts
//     each request's lag and the freezes of brunt within it, and leaves out the requests that brunt never sent or had
//     no socket for. If both verdicts agree, they stand, because no lag could change them. If they differ, that
//     objective alone is invalid, because brunt and not the target decides it.
//   - If brunt failed to send over 1 % of the requests of a phase, no objective passes in it, because the load was
//     not the scheduled one. A failure stands.
//   - A failure by timeouts or slow answers is invalid if only the seconds show it in which brunt itself lacked
//     processor time; see [readings.overloaded].
//   - Impact, recovery, stop conditions and the steady state leave out brunt's own time. A span in which brunt stood
//     still, or failed to send each request that was due, may hide an outage of its length. So an objective on a
//     fault that passes is judged again with the requests of some spans as bad: of spans as long as the time that the
//     objective allows, and of shorter spans that contain the deadline by which the target must be good and either
//     last a tenth of the allowed time or contain the end of the observed outage. A pass that this changes is
//     invalid. A shorter freeze elsewhere changes nothing.
//   - A request that was sent late shows the target at the time when it was sent. If nearly all requests were late,
//     an outage may be longer than measured by that lag, or shorter. So a time passes only if it also holds with the
//     lag added, if the lag is a tenth or more of the allowed time, and one whose begin requests show fails only if it
//     also fails with the lag taken off. Nor does a failure stand that is none if the target was good whenever brunt
//     stood still.
//   - If brunt stood still for half of a fault or more, or sent more than half of the fault's requests after it, an
//     impact that was not seen is unknown rather than absent.
//   - Whether a fault made answers slower has three answers; see [effect.Slower]. The answer is yes if answers are
//     slower without brunt's own time and, if brunt was later than in the baseline, also without the largest lag of
//     their second, and if seconds as slow are rarer in the baseline and in the rest, which begins a hold after a
//     fault. It is no if 95 % bounds exclude that the service time, which leaves out only the time before brunt sent
//     a request, is over twice as long as in the baseline and over 20 ms longer, at the median or at the 95th
//     percentile; 59 good answers can show that. Otherwise it is untested: the impact is unknown, and no objective on
//     the recovery passes, unless the scenario says which answers are slow. If brunt stood still for half of the fault
//     or more, they are invalid: it sends at once what was due, and answers to that may take long without the fault.
//   - The answer is yes only if evidence shows that the fault did it: answers were slower within a hold of the
//     injection, of a later step of a group, or of the time when a unit that the fault hit fell ill; or in the last
//     three seconds of the fault, and no longer from a hold after it on, before the next injection. A hold is five
//     seconds here at least, and as long as 20 good answers take; after the fault, as long as 59 take. The last three
//     seconds show it only from 7 good answers a second on. Otherwise answers were slower during the fault, and whether
//     by it is untested.
//   - An objective is tested by the answers that it selects, and the impact by all answers. If those of all steps were
//     not slower, and those of one step were far slower, the slowdown is untested: an impact that is required is
//     inconclusive, and the impact itself and the objectives stay as they are.
//   - Requests that were due during a fault, but that brunt sent after it because it stood still or was late, did not
//     meet the fault. An objective in that fault is invalid if it does not hold with these requests as bad.
//   - A request that brunt is not ready to send is not in flight, so brunt's own lag is not taken for a stall of the
//     target.
//   - A failure that only seconds show in which other programs held the processors of the machine, on which brunt and
//     the target run, is inconclusive, because the target may have lacked a processor. Other programs held them if
//     they used half of them or more while tasks waited (PSI), or, if the kernel does not report that, while the
//     processors were idle for a twentieth of the time at most. A second counts if tasks of the target's units waited
//     for a processor for nine tenths of its longest answer and of the timeouts, by the pressure of the units' own
//     control groups, less the time for which their own quotas stopped them, or, without such a group, by their
//     threads. On a busy machine some thread always waits. So if each unit has the processors on the same terms as
//     brunt, ten times brunt's own lag must be as long as well, as it is one wait for a processor and a request waits
//     several times; twenty times if a unit uses twice as much processor time as brunt. If the waits of a unit are not
//     known, ten times brunt's lag must be as long, and so must the waits of the whole machine. brunt must know what
//     the target uses, so it must have started the target's processes or see those of its containers. What the target
//     does with its processors itself excuses nothing. For an upper bound on times, waits need only be as long as the
//     longest answer is over it. Of slow answers without timeouts they need only be as long as the longest one is over
//     the limit of slow answers, or the lowest limit of an objective.
//   - Such a second excuses timeouts and slow answers. Its other errors count, because a target that refuses did not
//     wait. Those without a status are excused as well while a unit that a fault hit was away, if other programs held
//     the processors for nine tenths of that time, and ten times brunt's lag is as long: a unit that starts needs a
//     processor. For a percentile of an open load brunt's lag is the one at that percentile.
//   - A timeout counts as brunt's own failure if brunt used up a tenth of it, unless the target still had far more
//     time than it ever took: a target that hangs while brunt is late is down.
//
// Spans:
//
//   - burn counts errors like the metric errors, over all offered requests. Its worst span counts. It needs as many
//     requests as an objective on errors that allows the same share.
//   - A slice of slices() counts if a request was offered in it, or if a closed load was blocked in it by a stall,
//     see below.
//   - area counts a slice without an offered request in full if the load was stalled for longer than chance explains.
//   - Steady and stop conditions do not support burn and slices, which need spans of time.
//
// Faults:
//
//   - Without a declared steady state, no fault is injected if the 95 % lower bound of the baseline's share of bad
//     requests is above the limit, and above the share that all objectives on the run or the baseline allow. Such a
//     run shows nothing about its faults, and is invalid. A declared steady state that does not hold is a failure,
//     because the author asked for it.
//   - failed includes the requests that were in flight at the injection. The baseline, with its share and dispersion,
//     does not.
//   - The steady state was bad before the injection when two of the last three windows before
//     it were bad, or one was bad beyond doubt, or the baseline as a whole was. The effect of
//     an earlier fault, until recovery from it, and requests in flight at the injection do
//     not count, unless the target hung by then. It hung by then if there is harm from the injection on and, for over
//     a quarter of a second before it, users sent nothing, for twice as long as ever before and for longer than any
//     good answer of the baseline takes; or, for an open load, if twice as many requests are in flight, and ten more,
//     as at the begin of any second before, and the first of them is due for twice as long as any good answer of its
//     step in the baseline. If brunt itself was late by a quarter of a second then, that shows nothing.
//   - A request that is under way at a later injection counts for that fault, unless it has taken twice as long by then
//     as any good answer of its step in the baseline: then the target hung before, and the request counts where it was
//     due.
//   - An earlier fault whose recovery was not seen confounds a later one, until a hold of good requests has passed: as
//     long as judge.hold, within the limit, and better than the degradation by more than chance explains. That need not
//     be as many requests as prove a recovery.
//   - An incident belongs to the faults that were in, or were being recovered from, when it began. It is given to one
//     of them only if no other could be it and if evidence shows it; see [result.Evidence]. It is given to none of them
//     if the fault was not verified, or if a lack of processors may explain each bad request.
//   - Harm that begins while a fault is in is its effect if it begins within a hold of the injection or of a later
//     step of a group; if a unit that the fault hit falls ill within a hold before it, or during it; or if it lasts
//     until the end of the fault, to a second, and at most a hold longer. So a leak or a disk that fills is the
//     fault's. Else the harm may be noise in a fault that does nothing: an objective on the fault, or `after incident`,
//     has a verdict only if it is the same with the harm and without it. What follows it is judged as if that harm had
//     not been. Later harm while a fault is in is judged by the same rule if the target is shown to have failed over
//     before it, and else is a part of the harm before.
//   - Harm that begins after a fault is over is its effect only if it begins within a second of the end, or while a
//     unit that the fault hit is not well since before the target had recovered: before a hold in which the load was
//     good and each of these units was well. If the load was good for a hold before, since the end or since the
//     recovery from earlier harm, it is no effect of the fault, but an incident of its own. Within a hold of the end
//     the first harm is unknown: an objective has a verdict only if it is the same with the harm and without it. It is
//     the same after the last fault as before another one: that harm is next in time shows nothing.
//   - A crash whose unit nothing starts again, as the scenario allows, is in until the end of the run. Harm that is
//     shown to be that of another fault is not its harm as well, and other faults are judged as if it had been over at
//     once.
//   - If requests were good again when a fault was over, and too few or for too short to show a failover, its time is
//     unknown, and at least that until they were. It never failed over only if requests were bad until the fault was
//     over, and, of a fault that ended by itself, if that took at least as long as the objective allows.
//   - If a load has not recovered by its end, the fault counts as gone only if its end was proved, if no unit that it
//     hit was away in the last hold, and if that hold began after the end. If the load then offered over 5 % more
//     requests than in the baseline, beyond chance, it is not known what it suffers from.
//   - The harm of a fault's end is part of its recovery, and has a time of its own besides; see [effect.Answer].
//   - Of several occurrences the worst is the one whose verdict takes precedence, so a failed occurrence counts more
//     than one that could not be judged.
//   - recover.p95 and similar metrics are the nearest rank over the occurrences. An occurrence without impact counts
//     as 0, one without recovery as infinity. An unknown occurrence may be either; if that decides, the objective is
//     inconclusive. p95 needs 20 occurrences, p50 needs two.
//   - Requests in flight of which none ends are a stall if 14 of them would usually have ended, by the mean time of
//     good answers of their steps, and if they wait for longer than that mean. So neither the last user of a load nor
//     users who begin together look like an outage. For a closed load, five requests of its users must usually have
//     ended in the time as well. A single user who waits while others do not is no stall. If a stall of a closed load
//     covers no whole second, the pause between two requests of its users shows it, from 950 ms on.
//   - If faults overlap in time, an objective on recovery, loss or degraded time of one of them passes if it holds
//     for their joint effect, and is inconclusive otherwise, because the responsible fault is unknown. It is also
//     inconclusive if any of them, or all together, made answers slower for an unknown time. The incident itself is
//     judged by `after incident`.
//   - A skipped occurrence, for which no unit matched, turns a pass into inconclusive.
//   - The impact of a fault that was not verified, or affected no traffic, is unknown. Objectives after it, in it or in
//     its recovery are invalid if it was not verified, and inconclusive if it affected no traffic.
//   - If require_impact is set and no impact is found, objectives after the fault, in it or in its recovery fail
//     instead of passing. If the impact is unknown or confounded, they are inconclusive. An impact counts as seen
//     even if the recovery was not. An outage of one step is an impact, also if the step shed its requests.
//   - Bad requests that are too few to tell an outage from chance are no impact. If their share is larger than the
//     limit and the share of the baseline together, an objective has a verdict only if it is the same without an impact
//     and with one up to the last of them.
//   - The impact is unknown when the load ends, or another fault begins, within a hold.
//   - Objectives do not decide which requests and how many of them make an outage, so a wide budget hides no outage
//     and a tight one causes none. Only the keys of `judge` do: limit, and slow, above which an answer is a bad
//     request in impact, recovery and incidents, but in no budget.
//   - The edges of an outage are times of single requests, including shed requests if they surge, and also those by
//     the time limit of an objective's own, such as recover(500ms).
//   - If a fault made answers slower, but the baseline has too few answers for a limit, no answer counts as bad. The
//     duration is then unknown, so no objective on it passes just because there are no bad requests. So it is if
//     requests failed, and most answers were far slower then, under a limit from the baseline, while the fault was in.
//   - If harm begins as one fault ends and another one begins, to a second, either may have done it. An instant that is
//     known to lie between two times that are more than a hold apart is no evidence.
//   - The phase recovery lasts until a hold after the last bad request, so it is not empty for a target that was good
//     all along.
//   - A time passes only if its whole interval meets the target, and fails only if its whole interval misses it. So
//     does a percentile over occurrences, with both ends of their intervals. A recovery lies between the last bad
//     request and the answer to the first good one that was intended after it.
//   - Without an incident, an objective `after incident` passes only if there are enough requests after each fault to
//     show that there was none.
//
// Metrics:
//
//   - A metric that was not read for longer than two readings at the begin or the end of a phase may have had its worst
//     value then, so nothing passes that it could fail. What the known values show stands. Between two readings half
//     of the values may be missing: a unit that a fault takes down has none.
//
// Writes:
//
//   - An objective is evaluated twice: as if every write that could not be read back were correct, and as if none
//     were. If the verdicts differ, it is inconclusive.
//
// To add a metric, add a row to slo.Metrics with the function that computes its value.
package judge
