// Package compare tells whether one set of runs is slower than another, with a
// false-alarm rate that is known.
//
// The unit of evidence is the run, not the request: requests of one run share its
// stalls, its garbage collections and its neighbours, so that a test that takes them
// for independent alarms on most identical pairs. Each run gives one value a metric, and
// what is judged is how those values differ between the sides:
//
//	runs of A, runs of B -> samples: a value a run, by phase x load x step x metric
//	                     -> design:  interleaved pairs, two groups (Welch), or a session of
//	                                 runs against a history of them (random effects)
//	                     -> estimate: mean, standard error, degrees of freedom
//	                     -> Holm over all rows -> pass, fail, inconclusive
//
// Times and rates are compared by the logarithm of their ratio, shares by their
// difference. A row fails when the one-sided lower bound of the change is above zero
// and its mean is above the margin; it passes when the upper bound is under the margin;
// else it is inconclusive, and says the smallest change that these runs could have
// shown and how many would do.
package compare
