package compare

import "brunt/scenarios"

// A Trial holds runs to a history. It makes a further run while those there are tell nothing,
// and asks again by fresh runs where they are red.
//
// To look several times gives chance several times to alarm, and so no look makes a run red. What does
// is one judgement, at alpha, of fresh runs that no look has seen. For a false alarm those fresh runs must fail,
// and so it happens in at most alpha of trials, whatever the looks did before. To pass, each
// look asks for the bound of one: of runs that are worse by just their margin one look passes 5 in 100, and
// three passed up to 11 in simulated trials.
type Trial struct {
	History []*Record                      // as [Measure] gives it
	Runs    int                            // looked at, at most; zero is one
	Confirm int                            // fresh ones that a red is confirmed by; zero is that it needs none
	Make    func(n int) ([]*Record, error) // makes so many further runs
	Looked  func(c *Comparison, more int)  // is told each answer that more runs follow on; may be nil
}

// Decide gives the answer, and all runs that were made, those of now first. After an error of Make the
// answer is that of the last look.
func (t *Trial) Decide(now []*Record, o Options) (c *Comparison, made []*Record, err error) {
	more := func(n int) ([]*Record, error) {
		if t.Looked != nil {
			t.Looked(c, n)
		}
		return t.Make(n)
	}
	for {
		if c, err = Gate(t.History, now, o); err != nil || c.Verdict != scenarios.Inconclusive || len(now) >= t.Runs {
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
	again, err := Gate(t.History, fresh, o)
	if err != nil {
		return c, now, err
	}
	return again, now, nil
}
