// Package compare decides whether one set of runs is worse than another, with a known false-alarm rate.
//
// The unit of evidence is the run, not the request: requests of one run share its stalls, its
// garbage collections and its neighbours, so a test that treats them as independent alarms on
// most identical pairs. Each run gives one value per metric, and the values of both sides are
// compared:
//
//	runs of A, runs of B -> samples: a value a run, by phase x load x step x metric
//	                     -> design:  interleaved pairs, turns of both sides (Welch), or a session
//	                                 of runs against a history of them (random effects)
//	                     -> estimate: mean, standard error, degrees of freedom
//	                     -> Holm over all rows -> pass, fail, inconclusive
//
// Runs that follow each other share the state of the machine. Consecutive runs of one side are therefore one turn,
// and a comparison needs two turns of each side. If one side was run before the other, the comparison is uncontrolled
// and no row has a verdict, unless a history shows how much sessions of runs differ.
//
// [Switchback] compares blocks of one load that was switched between both sides ([brunt/scenarios/decide/ab]). In
// simulated comparisons of 8 minutes, with a state of the machine that lasts for minutes, it shows a change of 10 %
// in 80 to 90 % of the cases, with 4 % false alarms. Runs of a minute in turns (A B B A) show it in 25 to 30 %.
//
// Times and rates are compared by the logarithm of their ratio, shares by their difference. A row fails if the
// one-sided lower bound of the change is above zero and its mean is above the margin. It passes if the upper bound is
// under the margin. Otherwise it is inconclusive, and gives the smallest change that these runs could detect and how
// many runs would be enough.
package compare
