package compare

import (
	"math"

	"brunt/scenarios/statistics"
)

// A session holds the values of a metric in the runs of one gate, on the scale of changes. Runs of one session share
// the day, so they differ by less than runs of different sessions. The mean of a session varies by between² +
// within²/runs.
type session struct {
	mean   float64
	runs   float64
	within float64 // sum of squared deviations of its runs from their mean
}

// sessionOf makes one session of values. Each value may itself be the mean of several runs.
func (m *metric) sessionOf(vs []value) session {
	var s session
	for _, v := range vs {
		s.runs += v.times()
		s.mean += v.times() * m.scaled(v.x)
	}
	s.mean /= s.runs
	for _, v := range vs {
		off := m.scaled(v.x) - s.mean
		s.within += v.times()*off*off + (v.times()-1)*v.spread*v.spread
	}
	return s
}

// predicted estimates how a session of runs differs from the sessions of a history. Its standard error is that of a
// prediction, s·√(1+1/n), where s is the standard deviation of sessions with as many runs.
//
// Sessions of a history have one run or several. A mean of several runs varies less than one run, so treating them as
// equal makes the bound too narrow for one run and too wide for several. The model is that of random effects, y = μ +
// session + run (Searle, Casella, McCulloch, Variance Components, 1992, chapter 3). If the sessions have h =
// mean(1/runs), their variance has the expectation between² + within²·h, and a session of k runs varies by
// within²·(1/k - h) more, where within² is pooled over all sessions of several runs. The degrees of freedom of the
// sum are Satterthwaite's (An approximate distribution of estimates of variance components, 1946). His sum requires
// positive terms, so spread uses the sessions that have at least k runs. If there are fewer than [LeastHistory] of
// them, it uses all without a correction, which may be too wide but is never too narrow.
//
// The level is the mean of all sessions weighted by their runs. A gate ends early if the first run is good, so equal
// weights would lower the level (Wald's identity: the mean of all runs has no such bias).
func predicted(history []session, now session, floor float64) estimate {
	level, runs := 0.0, 0.0
	pooled, freedom := now.within, now.runs-1
	for _, s := range history {
		level += s.runs * s.mean
		runs += s.runs
		pooled += s.within
		freedom += s.runs - 1
	}
	level /= runs
	within := floor * floor
	if freedom > 0 {
		within = math.Max(within, pooled/freedom)
	}
	alike := spreadOf(history, now.runs)
	n := float64(len(alike))
	means, share := make([]float64, len(alike)), 0.0
	for i, s := range alike {
		means[i] = s.mean
		share += 1 / s.runs / n
	}
	spread := math.Max(statistics.Variance(means), floor*floor*share)
	more := math.Max(0, within*(1/now.runs-share))
	single := spread + more
	// Error of the level: the part between sessions, weighted by their runs.
	squares := 0.0
	for _, s := range history {
		squares += s.runs * s.runs
	}
	err := math.Sqrt(single + spread*squares/(runs*runs))
	e := estimate{mean: now.mean - level, err: err, lasting: math.Sqrt(single), freedom: n - 1}
	if more > 0 && freedom > 0 {
		e.freedom = single * single / (spread*spread/(n-1) + more*more/freedom)
	}
	return e
}

// spreadOf returns the sessions that show how much a session with a number of runs varies.
func spreadOf(history []session, runs float64) []session {
	var out []session
	for _, s := range history {
		if s.runs >= runs {
			out = append(out, s)
		}
	}
	if len(out) < LeastHistory {
		return history
	}
	return out
}
