package compare

import (
	"fmt"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// A Trial compares runs with a history. It makes a further run while the runs so far are inconclusive, and confirms a
// failure by fresh runs.
//
// Repeated checks increase the chance of a false alarm, so no check fails a trial by itself. Only fresh runs can fail
// it, and they are judged once, at alpha. So the probability of a false alarm is at most alpha, whatever earlier
// checks showed. For a pass, each check uses the bound of a single check. If runs are worse by exactly their margin,
// one check passes 5 in 100, and three checks passed up to 11 in simulated trials.
//
// A run is disturbed if the machine was noisier than during the history. If a trial with a disturbed run passes, that
// counts: noise does not make a run better. Otherwise the run is made again later, and it never fails a trial. A
// target on the same machine that uses more CPU raises brunt's lag and the CPU pressure, just like another load. The
// target counts as their cause if [mostByLoad] runs in a row show nothing but these two, and the machine is quiet
// before and after each.
type Trial struct {
	History []*Record                      // as [Measure] returns it
	Runs    int                            // largest number of runs; zero means one
	Confirm int                            // fresh runs that confirm a failure; zero: a failure needs no confirmation
	Make    func(n int) ([]*Record, error) // makes n further runs
	Looked  func(c *Comparison, more int)  // called with each comparison that leads to more runs; may be nil
	Again   func(why string) bool          // waits to make a disturbed run again; false: no time left; nil: never again

	byLoad int // disturbed runs in a row that the target itself may have disturbed
}

// mostByLoad is how many runs in a row must have a high lag or pressure, on a machine that is quiet without the load,
// before the target itself counts as the cause.
const mostByLoad = 3

// Decide returns the answer and all runs that it rests on, beginning with those of now. After an error of Make it
// returns the answer of the last check, in which a failure that no fresh run confirmed is inconclusive.
func (t *Trial) Decide(now []*Record, o Options) (c *Comparison, made []*Record, err error) {
	more := func(n int) ([]*Record, error) {
		if t.Looked != nil {
			t.Looked(c, n)
		}
		return t.Make(n)
	}
	norm := Norm(t.History)
	o.runs = t.Runs
	for {
		if c, err = gate(t.History, now, o); err != nil || c.Verdict == scenarios.Pass {
			t.mark(norm, now)
			return c, now, err
		}
		replaced, why, err := t.quiet(norm, now)
		if err != nil || why != "" {
			c.Disturb(why)
			return c, now, err
		}
		if replaced {
			continue
		}
		if c.Verdict != scenarios.Inconclusive || len(now) >= t.Runs {
			break
		}
		further, err := more(1)
		now = append(now, further...)
		if err != nil {
			return c, now, err
		}
	}
	if c.Verdict != scenarios.Regression || t.Confirm < 1 {
		return c, now, nil
	}
	fresh, err := more(t.Confirm)
	if err == nil {
		var why string
		if _, why, err = t.quiet(norm, fresh); why != "" {
			c.Disturb(why)
			return c, append(now, fresh...), err
		}
	}
	now = append(now, fresh...)
	if err == nil {
		var again *Comparison
		if again, err = gate(t.History, fresh, o); err == nil {
			return again, now, nil
		}
	}
	c.leaveOpen("no new run confirmed it", "it was ended before new runs confirmed this: "+c.Reason)
	return c, now, err
}

// Norm returns the noise of the runs of a history, which comes from [Measure].
func Norm(history []*Record) NoiseNorm {
	var out NoiseNorm
	for _, r := range history[max(0, len(history)-mostHistory):] {
		out = append(out, r.Noise...)
	}
	return out
}

// Unmeasured says in one line that a history is too old to tell how quiet the machine was. It is empty if the history
// can tell.
func Unmeasured(records []*Record) string {
	if len(Norm(records)) >= LeastNoise {
		return ""
	}
	old := slices.DeleteFunc(slices.Clone(records), func(r *Record) bool { return len(r.Noise) > 0 })
	return fmt.Sprintf("how quiet the machine was is not known of %s, so that no run counts as disturbed before it is "+
		"known of %d runs",
		syntax.Amount(len(old), "older record"), LeastNoise)
}

// exceeded says how the noise of the runs of a record exceeds a norm: the first yes, and no only if that is the answer
// for each run.
func (r *Record) exceeded(norm NoiseNorm) (out NoiseExcess) {
	for i, n := range r.Noise {
		e := norm.Exceeded(n)
		if e.Answer == result.Yes {
			return e
		}
		if i == 0 || e.Answer < out.Answer {
			out = e
		}
	}
	return out
}

// mark marks the runs that are disturbed.
func (t *Trial) mark(norm NoiseNorm, runs []*Record) {
	for _, r := range runs {
		if t.byLoad < mostByLoad {
			r.Disturbed = r.exceeded(norm).Text
		}
	}
}

// quiet makes disturbed runs again, in their places, until none is disturbed or there is no more time to wait. In the
// latter case why says how a run is disturbed.
func (t *Trial) quiet(norm NoiseNorm, runs []*Record) (replaced bool, why string, err error) {
	for i := range runs {
		for {
			e := runs[i].exceeded(norm)
			if e.Answer != result.Yes { // nothing shows that another load disturbs it
				t.byLoad = 0
				break
			}
			if t.byLoad++; !e.ByLoad {
				t.byLoad = 0
			}
			if t.byLoad >= mostByLoad {
				runs[i].Disturbed = ""
				break
			}
			runs[i].Disturbed = e.Text
			if t.Again == nil || !t.Again(e.Text) {
				return replaced, e.Text, nil
			}
			fresh, err := t.Make(1)
			if err != nil {
				return replaced, e.Text, err
			}
			runs[i], replaced = fresh[0], true
		}
	}
	return replaced, "", nil
}

// Disturb makes the failures of a comparison inconclusive because its runs are disturbed; why says how.
func (c *Comparison) Disturb(why string) {
	c.Disturbed = why
	c.leaveOpen("the machine was disturbed",
		"the machine was disturbed, so a worse figure does not show a worse build: "+why)
}

// leaveOpen makes a comparison and its failed rows inconclusive. Each of these rows gets the note.
func (c *Comparison) leaveOpen(note, reason string) {
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Verdict == scenarios.Fail {
			r.Verdict, r.Note = scenarios.Inconclusive, note
		}
	}
	c.Verdict, c.Reason, c.open = scenarios.Inconclusive, reason, nil
}
