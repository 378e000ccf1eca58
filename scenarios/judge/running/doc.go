// Package running judges while the load runs, by counts alone: whether a stop condition or the steady
// state holds, whether the baseline fails, and which verdict each objective would have now.
//
//	measure.Second --HoldsIn---> a stop condition, each second
//	       |--------Verdicts---> each objective, each second
//	measure.Recorder --Steady, Failing--> the baseline, once, before the first injection
//
//	condition.go  stop conditions and the steady state
//	baseline.go   a baseline that fails, where no steady state is declared
//	verdict.go    where objectives stand
package running
