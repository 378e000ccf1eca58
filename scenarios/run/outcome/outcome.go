// Package outcome composes the result of a run from data: what the run knows beside its measurements, and what the
// judge finds in them.
//
//	[Run], [judge.Findings] --Compose--> [result.Result], with its verdict
//
// Nothing here asks the run, its target or its machine. So a case that was stored composes the same result again, by
// the same rules: see package casefile. To add to a result what the run knows, set it in [Run.Known]; add a field to
// [Run] only for what a rule needs together with the findings.
package outcome

import (
	"slices"
	"time"

	"brunt/scenarios/judge"
	"brunt/scenarios/result"
)

// A Run holds what a run knows besides its measurements.
type Run struct {
	// Known is the result as far as it does not depend on the findings. Its objectives are the thresholds of scripts, its
	// links lack what depends on phases, and it has no faults.
	Known    *result.Result
	Faults   []Fault
	LagLimit time.Duration  // the largest p99 lag of a healthy run
	Limits   []result.Limit // limits of the generator besides those that the findings show
	Machine  Machine

	Escape      *result.Escape // nil without an escape
	EscapedFrom string         // its fault

	Ended   []result.Reason // why the run ended early
	Refused *Refusal        // nil: the steady state held, or was not asked for
	Unfit   []result.Reason // why its figures can't be trusted
	Gone    string          // how the target was lost, so that no objective has an answer; empty: it was not
	Scripts []string        // failures of scripts
	Smoke   bool            // faults are not expected to affect traffic
	Code    int             // exit code of an interrupt
}

// Compose returns the result of a run. It copies what it changes of r.
func (r *Run) Compose(f *judge.Findings) *result.Result {
	res := *r.Known
	Fill(&res, f)
	res.Faults = Records(r.Faults, f, nil)
	r.addEscape(&res)
	res.Slowest = f.Slowest
	res.Objectives = append(res.Objectives, r.Known.Objectives...)
	noteShort(&res)
	res.Repeats = result.Repeats(res.Faults)
	r.addGenerator(&res.Generator, f)
	res.Slowdowns = result.FindSlowdowns(&res)
	r.decide(&res, f)
	res.NameFailed()
	res.Meet()
	res.Notes = slices.Concat(r.Known.Notes, f.Notes)
	return &res
}

// Fill sets what the findings tell, except faults and the verdict.
func Fill(res *result.Result, f *judge.Findings) {
	res.Blocks = f.Blocks
	res.Phases, res.Cells, res.Windows, res.Histograms = f.Phases, f.Cells, f.Windows, f.Histograms
	res.Objectives = append([]result.ObjectiveResult{}, f.Objectives...)
	res.Errors = append([]result.ErrorGroup{}, f.Errors...)
	res.Incidents = append([]result.Incident(nil), f.Incidents...)
	res.Links, res.Amplification = result.Around(res.Links, f.Phases), f.Amplified
}

// addGenerator says whether brunt was the bottleneck.
func (r *Run) addGenerator(g *result.Generator, f *judge.Findings) {
	JudgeGenerator(g, f, r.LagLimit, r.Machine)
	g.Add(r.Limits...)
	g.Healthy = len(g.Limits) == 0
}

// addEscape adds how the target came back after the load.
func (r *Run) addEscape(res *result.Result) {
	for i := range res.Faults {
		f := &res.Faults[i]
		if r.Escape == nil || f.Name != r.EscapedFrom || f.Unrecovered == result.StillAway {
			continue
		}
		f.Escape = r.Escape
		if f.Unrecovered != "" && r.Escape.Outcome == result.EscapeStuck {
			f.Unrecovered = result.Stuck
		}
	}
}
