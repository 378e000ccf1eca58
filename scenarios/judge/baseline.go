package judge

import (
	"time"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// A FailingBaseline says how many requests before the first injection were bad.
type FailingBaseline struct {
	Bad, N  int64   // bad requests and all requests, without those at which brunt itself failed
	Allowed float64 // the share of bad requests that the scenario allows
	Step    int32   // the step with the most bad requests
	Hung    int64   // number of requests under way if none has ended
}

// leastHung is the minimum length of a baseline without an ended request for it to count as failing.
const leastHung = time.Second

// Failing reports whether the baseline so far fails beyond doubt: the 95 % lower bound of its share of bad requests
// lies above the share that the scenario allows. That is the largest share that all objectives on these requests in
// the run or the baseline allow, and at least the limit of `judge`. So a constant error rate within the objectives is
// no failure, and neither is a baseline without requests. A baseline of a second or more whose requests are all still
// under way fails as well.
//
// prompt says that each iteration under way waits for the answer of a request.
func Failing(
	r *measure.Recorder, limit float64, objectives []slo.Objective, prompt bool,
) (f FailingBaseline, failing bool) {
	s := r.Baseline()
	most, may := int64(0), 0.0
	for i := range s.Counts {
		if !s.Config.InSums(i) {
			continue
		}
		c := s.Counts[i].Punctual().Uncut(-1)
		f.Bad += c.Bad()
		f.N += c.Offered()
		may += float64(c.Offered()) * max(limit, tolerated(&s.Config.Series, objectives, i))
		if c.Bad() > most {
			most, f.Step = c.Bad(), int32(i)
		}
	}
	if f.N == 0 { // the load may not have begun yet
		f.Hung = s.InFlight
		return f, prompt && f.Hung > 0 && s.Span >= leastHung
	}
	f.Allowed = may / float64(f.N)
	return f, effect.LowerBound(float64(f.Bad), float64(f.N), effect.Confidence) > f.Allowed
}

// tolerated returns the largest share of bad requests in series i that all objectives on it in the run or the
// baseline allow. It is zero if no objective counts bad requests.
func tolerated(c *measure.Series, objectives []slo.Objective, i int) float64 {
	least, known := 1.0, false
	for _, o := range objectives {
		if !o.PhaseOrRun().OfRun() || !countsBad(o.Metric) || !requests.Selects(c, o, i) {
			continue
		}
		known = true
		if !o.Metric.Percentile() || o.Upper() {
			least = min(least, requests.Allowed(o))
		}
	}
	if !known {
		return 0
	}
	return least
}

// countsBad reports whether a bad request counts against an objective on a metric. It does not count against times of
// good answers.
func countsBad(m slo.Metric) bool { return m.Row().CountsBad && m.Of == "" }
