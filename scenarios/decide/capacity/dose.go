package capacity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/slo"
)

// A DoseProber probes a target with doses of a fault. Each probe is a run of the scenario with one setting of the fault
// changed: the fault is proved in, taken back, and proved gone. The objectives on the whole run and on the fault
// decide; those on other faults do not. Dose 0, or [noFault], is a run without the fault and those that follow it, in
// which objectives on the fault's phase are judged over the whole run.
type DoseProber struct {
	Parse   func() (*scenarios.Scenario, error) // reads the scenario, again for each probe
	Compile plan.CompileOptions
	Run     func(ctx context.Context, p *plan.Plan) (*result.Result, error)
	Setting search.Dose
	Cool    time.Duration // time for the target to recover after a break
}

var _ Prober = (*DoseProber)(nil)

// Check compiles a probe without the fault and one of each dose, and runs none. A fault that a search can't repeat, and
// a scenario without an objective that decides, is a [scenarios.UsageError].
func (r *DoseProber) Check(doses []float64) error {
	sc, err := r.Parse()
	if err != nil {
		return err
	}
	if len(r.objectives(sc)) == 0 {
		return scenarios.Usagef("no objective is on the whole run or on %s; add one under `slo`, such as "+
			"`p95 < 500ms in %[1]s`", plan.FaultOf(sc, r.Setting).Name)
	}
	for _, dose := range append([]float64{0}, doses...) {
		p, err := r.plan(dose)
		if err != nil {
			return err
		}
		if err := p.Repeatable(); err != nil {
			return err
		}
	}
	return nil
}

// Objectives returns the objectives that decide.
func (r *DoseProber) Objectives() ([]slo.Objective, error) {
	sc, err := r.Parse()
	if err != nil {
		return nil, err
	}
	return r.objectives(sc), nil
}

// objectives returns the objectives on the whole run and on the fault.
func (r *DoseProber) objectives(sc *scenarios.Scenario) (list []slo.Objective) {
	name := plan.FaultOf(sc, r.Setting).Name
	for _, o := range sc.SLO {
		about := o.Phase.OfFault() && o.Phase.Fault == name || o.After.OfFault() && o.After.Fault == name
		if about || o.PhaseOrRun().Kind == slo.RunPhase && o.After.Kind == slo.NoPhase {
			list = append(list, o)
		}
	}
	return list
}

// faultless reports whether a dose stands for a run without the fault.
func faultless(dose float64) bool { return dose == 0 || dose == noFault }

// plan compiles a probe.
func (r *DoseProber) plan(dose float64) (*plan.Plan, error) {
	sc, err := r.Parse()
	if err != nil {
		return nil, err
	}
	sc.SLO, sc.Judge.Escape = r.objectives(sc), false
	for i := range sc.Faults {
		if f := &sc.Faults[i]; f.Wait.ForOperator() { // of many probes; the dose is asked about, and not a person
			f.Wait = scenarios.Wait{}
		}
	}
	if !faultless(dose) {
		plan.SetDose(sc, r.Setting, dose)
		return plan.Compile(sc, r.Compile)
	}
	gone := []string{plan.FaultOf(sc, r.Setting).Name}
	for range sc.Faults { // also faults that follow those that follow it
		sc.Faults = slices.DeleteFunc(sc.Faults, func(f scenarios.Fault) bool {
			if f.After != "" && slices.Contains(gone, f.After) {
				gone = append(gone, f.Name)
			}
			return slices.Contains(gone, f.Name)
		})
	}
	var kept []slo.Objective
	for _, o := range sc.SLO {
		switch {
		case o.After.OfFault(), o.Relative() && o.Reference.Phase.OfFault():
		case !o.Phase.OfFault():
			kept = append(kept, o)
		case o.Phase.Kind == slo.FaultPhase && !o.Relative():
			kept = append(kept, o.InRun())
		}
	}
	sc.SLO = kept
	sc.Stop = slices.DeleteFunc(sc.Stop, func(o slo.Objective) bool { return o.Phase.OfFault() || o.After.OfFault() })
	return plan.Compile(sc, r.Compile)
}

func (r *DoseProber) Probe(ctx context.Context, dose float64) (search.Try, error) {
	p, err := r.plan(dose)
	if err != nil {
		return search.Try{}, err
	}
	res, err := r.Run(ctx, p)
	if err != nil {
		return search.Try{}, err
	}
	phase := slo.Phase{Kind: slo.RunPhase}
	if !faultless(dose) {
		phase = slo.Phase{Kind: slo.FaultPhase, Fault: plan.FaultOf(p.Scenario, r.Setting).Name}
	}
	t := search.Try{Figures: figuresIn(res, phase)}
	t.Answer, t.Why, err = doseAnswer(res)
	for _, o := range res.Objectives {
		if o.Verdict == scenarios.Fail {
			t.Failed = append(t.Failed, o.Text)
		}
	}
	return t, err
}

// doseAnswer evaluates a probe with a dose.
func doseAnswer(res *result.Result) (search.Answer, string, error) {
	a, why, err := answer(res, false)
	if a == search.Disturbed || a == search.Limited {
		return a, why, err
	}
	refused := slices.ContainsFunc(res.Reasons, func(x result.Reason) bool { return x.Refused() })
	switch {
	case refused && res.Verdict == scenarios.Inconclusive: // other programs held the processors meanwhile
		return search.Disturbed, res.Reason, nil
	case refused && (res.Verdict == scenarios.Fail || res.Verdict == scenarios.Invalid):
		return "", "", ProbeError{
			Verdict: scenarios.Invalid, Reason: fmt.Sprintf("no fault was injected: %s; the target must be whole before "+
				"each probe: give it more time by --cool-down", res.Reason),
		}
	}
	if a == search.Breaks && res.Verdict == scenarios.Invalid || // such as a fault that was not proved: harm has no cause
		a == search.Holds && res.Verdict == scenarios.Inconclusive && (res.Unmet() || unmeasured(res)) {
		return "", "", ProbeError{Verdict: res.Verdict, Reason: res.Reason}
	}
	if a == search.Holds && res.Verdict == scenarios.Fail { // such as a unit that did not become healthy in time
		return search.Breaks, res.Reason, nil
	}
	return a, why, err
}

// unmeasured reports whether an objective of a run has no answer and no value, such as a recovery before whose hold the
// load ended.
func unmeasured(res *result.Result) bool {
	return slices.ContainsFunc(res.Objectives, func(o result.ObjectiveResult) bool {
		return o.Verdict == scenarios.Inconclusive && !o.Measured.Known() && !o.Infinite
	})
}

// figuresIn returns what a probe measured in a phase, over all its occurrences; nil if it made no request in it.
func figuresIn(res *result.Result, phase slo.Phase) *search.Figures {
	f := &search.Figures{P50: result.NaN, P95: result.NaN}
	var long result.Num
	for _, p := range res.Phases {
		if phase.Includes(p.Name) && p.End > p.Start {
			long += p.End - p.Start
		}
	}
	var offered, good, bad int64
	for i := range res.Cells {
		c := &res.Cells[i]
		if c.Load != "*" || c.Step != "*" || !phase.Includes(c.Phase) {
			continue
		}
		switch c.Outcome {
		case "*":
			offered += c.Count
			f.P50, f.P95 = c.Response.P50, c.Response.P95 // of the last occurrence
		case "ok":
			good += c.Count
		case "error", "skipped":
			bad += c.Count
		}
	}
	if offered == 0 || !(long > 0) {
		return nil
	}
	f.Offered, f.Good = float64(offered)/float64(long), float64(good)/float64(long)
	f.Failed = float64(bad) / float64(offered)
	return f
}

func (r *DoseProber) CoolDown(ctx context.Context) error { return coolDown(ctx, r.Cool) }
