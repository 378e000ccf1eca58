// Package gate compares new runs of a scenario with the history of its runs. [brunt/scenarios/decide/compare] has the
// statistics; this package decides which runs are made and which are repeated.
//
//	the scenario, the history -> Check: enough records? the noise of the machine
//	a run -> comparable records -> too few: learn
//	                            -> compare.Trial: more runs while it is inconclusive, new runs that confirm a failure
//	                            -> the runs become one record of the history
//
// It prints only the progress; the caller shows the outcome.
package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/syntax"

	"github.com/cenkalti/backoff/v5"
)

// Settings are those of a gate.
type Settings struct {
	Options compare.Options
	Runs    int           // largest number: one run, and further ones while the result is inconclusive
	Confirm int           // new runs that confirm a failure
	Wait    time.Duration // time to wait for a quiet machine, in total
	Accept  bool          // restart the history, because the change was wanted
	Require bool          // fail instead of learning
	Commit  string        // of the system under test, for the trend; may be empty
}

// Fit sets the number of runs that a budget allows, if a run takes whole. If the budget is small, the runs that
// confirm a failure shrink to a third of it, unless fixed, and the time to wait shrinks to a quarter, unless waits. A
// budget too small for one run is a [scenarios.UsageError].
func (s *Settings) Fit(budget, whole time.Duration, fixed, waits bool) error {
	fit := int(budget / whole)
	if !fixed {
		s.Confirm = min(s.Confirm, max(1, fit/3))
	}
	if s.Runs = fit - s.Confirm; s.Runs < 1 {
		return scenarios.Usagef("--budget %s holds %s of %s, and brunt needs 1, and %d to confirm a failure; give more "+
			"time, or shorten the load", budget,
			syntax.Amount(fit, "run"), quantity.FormatDuration(whole), s.Confirm)
	}
	if !waits {
		s.Wait = min(s.Wait, budget/4)
	}
	return nil
}

// Check returns an error if a history is required and has too few records of the scenario. Otherwise it returns the
// noise of the machine in the history.
func (s *Settings) Check(h *compare.History, p *plan.Plan) (compare.NoiseNorm, error) {
	all, left := planned(p).Comparable(h.Records())
	measure := compare.Measure(all)
	if n := len(measure); s.Require && (s.Accept || n < compare.LeastHistory) {
		return nil, lacksHistory(n, left)
	}
	return compare.Norm(measure), nil
}

// planned returns a record for a run that has not been made, with its scenario and machine.
func planned(p *plan.Plan) *compare.Record {
	return compare.NewRecord(&result.Result{
		Name: p.Scenario.Name, Scenario: p.Scenario.Explain(), Chaos: len(p.Faults) > 0,
	},
		compare.Calibrate(result.Environment{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}))
}

// lacksHistory returns the error of a gate that may not learn. N is the number of records that count.
func lacksHistory(n int, left []string) error {
	return scenarios.Usagef("--require-history: the history has %s to compare with, and %d are needed%s",
		syntax.Amount(n, "record"),
		compare.LeastHistory, strings.Join(append([]string{""}, left...), "; "))
}

// A Gate is one execution of a gate.
type Gate struct {
	Settings Settings
	Name     string // of the scenario
	History  *compare.History
	Norm     compare.NoiseNorm                                 // of the machine, in the history
	Run      func(ctx context.Context) (*result.Result, error) // performs a run, and writes its report
	Page     func(id string) string                            // returns the page of the report of a run
	// metrics that decide beside those of the runs, such as the tolerance of a fault: one that failed makes the gate a
	// regression, unless a run has already failed it
	Beside []result.Judged
	Out    io.Writer // for the progress
	Log    io.Writer // for warnings

	pause  *backoff.ExponentialBackOff                        // before each repeated run; nil: none was repeated
	waited time.Duration                                      // in total
	probe  func(ctx context.Context) compare.Noise            // of the machine at rest
	one    func(ctx context.Context) (*compare.Record, error) // performs a run
	began  time.Time
	all    []*compare.Record // of all runs, in their order
	ended  *result.Result    // a run that failed, which ends the gate
}

// An Outcome is the result of a gate.
type Outcome struct {
	Found    *compare.Comparison // nil: the gate learns, or ended before a comparison
	Decision *result.Decision    // in words, without the exit code; nil: no run ended
}

// Decide performs the runs, compares them with the history, and repeats them if they are inconclusive or fail. The
// runs become one record of the history. The outcome is returned even with an error of a run or of the history. If a
// run did not pass, the error is a [scenarios.Exit] with its exit code.
func (g *Gate) Decide(ctx context.Context) (Outcome, error) {
	g.probe, g.one = compare.NoiseOf, g.run
	return g.decide(ctx)
}

func (g *Gate) decide(ctx context.Context) (Outcome, error) {
	g.began = time.Now()
	o, err := g.compared(ctx)
	if failed := (disturbedError{}); errors.As(err, &failed) {
		o.Decision = &result.Decision{Word: "INCONCLUSIVE", Verdict: scenarios.Inconclusive, Reason: failed.Error()}
		g.describe(o.Decision, nil)
		err = nil
	}
	if o.Decision == nil && (g.ended != nil || len(g.all) > 0) && err != nil { // it ended before there was a comparison
		o.Decision = &result.Decision{Word: "NO VERDICT", Verdict: scenarios.Broken, Reason: g.why(err)}
		if errors.As(err, new(plan.DownError)) {
			o.Decision.Word, o.Decision.Verdict = "INCONCLUSIVE", scenarios.Inconclusive
		}
		if g.ended != nil {
			o.Decision.Word, o.Decision.Verdict = strings.ToUpper(g.ended.VerdictWords()), g.ended.Verdict
		}
		g.describe(o.Decision, nil)
	}
	o.Beside(g.Beside)
	return o, err
}

// Beside takes metrics that are decided beside those of the runs into the decision; see [Gate].
func (o *Outcome) Beside(list []result.Judged) {
	d := o.Decision
	if d == nil {
		return
	}
	for _, j := range list {
		d.Metrics = append(d.Metrics, j)
		switch d.Verdict {
		case "", scenarios.None, scenarios.Pass, scenarios.Inconclusive:
		default:
			continue
		}
		if j.Verdict != scenarios.Fail {
			continue
		}
		d.Verdict, d.Word = scenarios.Regression, strings.ToUpper(string(scenarios.Regression))
		d.Reason = "the target tolerates less of a fault than before: " + j.Sentence
		if o.Found != nil {
			o.Found.Verdict, o.Found.Reason = d.Verdict, d.Reason
		}
	}
}

func (g *Gate) compared(ctx context.Context) (Outcome, error) {
	now, err := g.several(ctx, 1)
	if err != nil {
		return Outcome{}, err
	}
	if err := now[0].Known(g.Settings.Options); err != nil {
		return Outcome{}, scenarios.Usage(err)
	}
	all, left := now[0].Comparable(g.History.Records())
	measure := compare.Measure(all)
	if g.Settings.Accept || len(measure) < compare.LeastHistory {
		if g.Settings.Require {
			return Outcome{}, lacksHistory(len(measure), left)
		}
		return g.learn(ctx, now[0], all, left)
	}
	if note := compare.Unmeasured(measure); note != "" {
		fmt.Fprintf(g.Log, "brunt: %s\n", note)
	}
	trial := &compare.Trial{
		History: measure, Runs: g.Settings.Runs, Confirm: g.Settings.Confirm,
		Make:  func(n int) ([]*compare.Record, error) { return g.several(ctx, n) },
		Again: func(why string) bool { return g.again(ctx, why) },
		Looked: func(c *compare.Comparison, more int) {
			why := ""
			if c.Verdict == scenarios.Regression {
				why = " to confirm it"
			}
			fmt.Fprintf(g.Out, "after %s: %s: %s; brunt makes %s%s\n",
				syntax.Amount(len(c.Cand), "run"), c.Verdict, c.Reason, syntax.Amount(more, "new run"), why)
		},
	}
	found, made, err := trial.Decide(now, g.Settings.Options)
	if found == nil {
		return Outcome{}, scenarios.Usage(err)
	}
	if failed := (disturbedError{}); errors.As(err, &failed) {
		found.Disturb(failed.why)
		err = nil
	}
	if ended := (run.Interrupt{}); err == nil && errors.As(context.Cause(ctx), &ended) { // while it waited
		err = scenarios.Exit(ended.Code)
	}
	for _, r := range made {
		r.Red = found.Verdict == scenarios.Regression
	}
	if kept := errors.Join(err, g.keep(made)); kept != nil {
		err = kept // the verdict stands, since the runs are done
	}
	o := Outcome{found, found.Decision()}
	g.describe(o.Decision, made)
	switch {
	case err == nil:
	case g.ended != nil && decides(g.ended.Verdict):
		o.endBy(g.ended, g.why(err))
	default:
		o.Decision.Says = append(o.Decision.Says, "the gate ended early: "+g.why(err))
	}
	return o, err
}

// decides reports whether a gate takes over the verdict of the run that ended it, whatever its earlier runs showed.
func decides(v scenarios.Verdict) bool {
	return v == scenarios.Fail || v == scenarios.NotReverted || v == scenarios.Stopped
}

// endBy gives the outcome the verdict of a run, and says what the earlier runs showed.
func (o *Outcome) endBy(run *result.Result, why string) {
	d := o.Decision
	d.Says = append([]string{"the runs before it: " + d.Word + ": " + d.Reason}, d.Says...)
	d.Word, d.Verdict, d.Reason = strings.ToUpper(run.VerdictWords()), run.Verdict, why
	o.Found.Verdict, o.Found.Reason = d.Verdict, d.Reason
}

// learn adds to a history that is too short for a verdict, or starts a new one. It makes several runs, because single
// runs do not show how much a mean of several runs varies from day to day.
func (g *Gate) learn(
	ctx context.Context, first *compare.Record, all []*compare.Record, left []string,
) (Outcome, error) {
	first.Accept = g.Settings.Accept
	more, err := g.several(ctx, g.Settings.Runs-1)
	made := append([]*compare.Record{first}, more...)
	if kept := g.keep(made); kept != nil {
		err = kept
	}
	if err != nil {
		return Outcome{}, err
	}
	d := &result.Decision{Verdict: scenarios.None}
	if g.Settings.Accept {
		d.Word, d.Reason = "ACCEPTED", "the change was wanted, and the history starts again with this run"
	} else {
		known := append(compare.Measure(all), compare.Mean(made))
		n := min(len(known), compare.LeastHistory)
		d.Word = fmt.Sprintf("LEARNING %d/%d", n, compare.LeastHistory)
		d.Reason = fmt.Sprintf("the history has %s, and from %d on a run is compared with them", syntax.Amount(n, "record"),
			compare.LeastHistory)
		d.Says = append(compare.Outlook(known, g.Settings.Runs, g.Settings.Options), left...)
	}
	g.describe(d, made)
	return Outcome{Decision: d}, nil
}
