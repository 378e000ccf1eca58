package slo

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"brunt/scenarios/syntax"
)

// A Reference is the value that the target of a relative objective is a multiple of: the same metric in another
// phase, or of another load or step, of the same run. The zero value means that there is no reference: the target is
// a plain value.
type Reference struct {
	Factor float64 // factor of the reference, such as 1.1 for `110% of baseline`; 0 means that there is no reference
	Phase  Phase   // the zero value means the phase of the objective
	Load   string  // "" means the load or step of the objective
	Step   string  // "" means the load or step of the objective
}

// String returns the reference in the short form: `baseline`, `load stable` or `step "list v1"`.
func (r Reference) String() string {
	switch {
	case r.Load != "":
		return "load " + r.Load
	case r.Step != "":
		return `step "` + r.Step + `"`
	}
	return r.Phase.String()
}

// Relative reports whether the target is a multiple of a value that the run itself measures. Value is NaN until
// [Objective.Against] sets it.
func (o Objective) Relative() bool { return o.Reference.Factor != 0 }

// Against returns the objective with the target that follows from the measured value of its reference.
func (o Objective) Against(measured float64) Objective {
	o.Value = o.Reference.Factor * measured
	return o
}

// OfReference returns the objective on the reference: with the phase, the load or the step of the reference.
func (o Objective) OfReference() Objective {
	if o.Reference.Phase.Kind != NoPhase {
		o.Phase = o.Reference.Phase
	}
	if o.Reference.Load != "" || o.Reference.Step != "" {
		o.Load, o.Step = o.Reference.Load, o.Reference.Step
	}
	return o
}

// InRun returns an objective on the phase of a fault as one over the whole run, for a run without the fault.
func (o Objective) InRun() Objective {
	o.Text = strings.Replace(o.Text, " in "+o.Phase.String(), "", 1)
	o.Phase = Phase{}
	return o
}

// target reads the value at the beginning of words, with the reference of a relative objective, and returns the words
// after it.
func (o *Objective) target(words []word) (rest []word, err error) {
	text := words[0].text
	factor, relative := o.factor(text, len(words) > 1 && words[1].is("of"))
	if !relative {
		if o.Value, err = o.Metric.Read(text); err != nil {
			err = fmt.Errorf("%s: %w", syntax.Clip(o.Metric.Text, 40), err)
		}
		return words[1:], err
	}
	o.Value, o.Reference.Factor = math.NaN(), factor
	words = words[1:]
	if len(words) < 2 || !words[0].is("of") || (words[1].is("load") || words[1].is("step")) && len(words) < 3 {
		_, err := o.Metric.Read(text)
		return nil, fmt.Errorf("%s: %w; a multiple names its reference: `%s %s %s of baseline` or `… of load stable`",
			syntax.Clip(o.Metric.Text, 40), err,
			o.Metric.Text, o.Op, syntax.Clip(text, 20))
	}
	switch {
	case words[1].is("load"):
		o.Reference.Load = words[2].text
		return words[3:], nil
	case words[1].is("step"):
		o.Reference.Step = words[2].text
		return words[3:], nil
	}
	o.Reference.Phase = ParsePhase(words[1].text)
	return words[2:], nil
}

// factor reads the multiple of a reference: 1.1x, or 110% for a metric that is not a share itself. of says that the
// word `of` follows.
func (o *Objective) factor(text string, of bool) (float64, bool) {
	number, found := strings.CutSuffix(text, "x")
	percent := 1.0
	if !found && o.Metric.Unit != ShareOf && (o.Metric.Unit != Open || of) {
		number, found = strings.CutSuffix(text, "%")
		percent = 100
	}
	f, bare := syntax.ParseFloat(number)
	if !found || !bare || f <= 0 {
		return 0, false
	}
	return f / percent, true
}

// checkReference checks that the reference of a relative objective fits.
func (o *Objective) checkReference() error {
	m, r := o.Metric, o.Reference
	row := m.Row()
	switch {
	case !o.Relative():
		return nil
	case row.Needs != NeedsRequests && row.Needs != NeedsSeries || row.Spans != nil:
		return fmt.Errorf("%s has no value in another phase, or of another load or step, that it could be a multiple of: want a "+
			"value of its own", m.Text)
	case m.Fold == increase || m.Figure().Counted || m.OfRequests() && m.Unit == Count:
		return fmt.Errorf("%s is a count, and grows with the length of its phase: want a value of its own, or a share or "+
			"a rate", m.Text)
	case m.PerTime:
		return fmt.Errorf("%s may be negative, so that a multiple of it says nothing: want a value of its own", m.Text)
	case o.Op == "=":
		return fmt.Errorf("%s wants <, <=, > or >= of a multiple", m.Text)
	case m.OfSeries() && (r.Load != "" || r.Step != ""):
		return fmt.Errorf("%s is of no load: want a multiple of its value in another phase, such as 150%% of baseline",
			m.Text)
	case r.Load == "" && r.Step == "" && r.Phase == o.PhaseOrRun(), r.Load != "" && r.Load == o.Load,
		r.Step != "" && r.Step == o.Step:
		return fmt.Errorf("%s is held against itself: name another phase, load or step behind `of`, or `in FAULT`", m.Text)
	case r.Phase.Kind == WarmupPhase:
		return errors.New("warm-up is never measured: want a multiple of baseline, of a fault or of recovery/FAULT")
	}
	return nil
}

// OfRequests reports whether the metric is computed from the requests in a phase.
func (m Metric) OfRequests() bool { return m.Row().Needs == NeedsRequests }
