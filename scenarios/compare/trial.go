package compare

import "brunt/scenarios"

// A Trial compares runs with a history. It makes a further run while the runs so far are
// inconclusive, and confirms a failure by fresh runs.
//
// Repeated checks increase the chance of a false alarm, so no check fails a trial by itself.
// Only fresh runs can fail it, judged once at alpha: a false alarm needs those fresh runs to
// fail, so its probability is at most alpha, whatever the checks before showed. To pass, each
// check uses the bound of a single one: of runs that are worse by exactly their margin, one
// check passes 5 in 100, and three checks passed up to 11 in simulated trials.
type Trial struct {
	History []*Record                      // as [Measure] gives it
	Runs    int                            // largest number of runs; zero is one
	Confirm int                            // fresh runs that confirm a failure; zero means none are needed
	Make    func(n int) ([]*Record, error) // makes n further runs
	Looked  func(c *Comparison, more int)  // called with each answer that leads to more runs; may be nil
}

// Decide returns the answer, and all runs that were made, those of now first. After an error of Make
// the answer is that of the last check.
func (t *Trial) Decide(now []*Record, o Options) (c *Comparison, made []*Record, err error) {
	more := func(n int) ([]*Record, error) {
		if t.Looked != nil {
			t.Looked(c, n)
		}
		return t.Make(n)
	}
	for {
		if c, err = gate(t.History, now, o); err != nil || c.Verdict != scenarios.Inconclusive || len(now) >= t.Runs {
			break
		}
		further, err := more(1)
		now = append(now, further...)
		if err != nil {
			return c, now, err
		}
	}
	if err != nil || c.Verdict != scenarios.Regression || t.Confirm < 1 {
		return c, now, err
	}
	fresh, err := more(t.Confirm)
	now = append(now, fresh...)
	if err != nil {
		return c, now, err
	}
	again, err := gate(t.History, fresh, o)
	if err != nil {
		return c, now, err
	}
	return again, now, nil
}
