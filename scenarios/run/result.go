package run

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/judge"
)

// head fills in what a result says before anything was measured.
func (r *runner) head() *scenarios.Result {
	sc := r.Scenario
	return &scenarios.Result{
		Version: scenarios.ResultVersion, Run: r.o.ID, Name: sc.Name, Hypothesis: sc.Hypothesis, Meta: sc.Meta, Seed: sc.Seed, Started: r.began, T0: r.t0,
		Chaos: !r.o.NoChaos && len(r.Faults) > 0, Control: r.o.NoChaos && len(r.Faults) > 0, Environment: r.environment(), Scenario: sc.Explain(),
		Loads: []scenarios.LoadInfo{}, Phases: []scenarios.Phase{}, Cells: []scenarios.Cell{}, Errors: []scenarios.ErrorGroup{},
		Faults: []scenarios.FaultRecord{}, Objectives: []scenarios.ObjectiveResult{}, Windows: []scenarios.Window{},
		Generator: scenarios.Generator{Healthy: true, Limits: []string{}},
	}
}

// unstarted is the result of a run that never came to its load.
func (r *runner) unstarted(err error) *scenarios.Result {
	res := r.head()
	res.Notes = slices.Concat(r.Notes, r.notes)
	for _, o := range r.judgedBy() {
		res.Objectives = append(res.Objectives, scenarios.ObjectiveResult{
			ID: o.ID, Text: o.Text, Phase: o.PhaseOrRun(), Metric: o.Metric.Text, Op: o.Op, Target: scenarios.Num(o.Value),
			Measured: scenarios.NaN, Low: scenarios.NaN, High: scenarios.NaN, Verdict: scenarios.Invalid, Note: "the load never began",
		})
	}
	res.Verdict, res.Reason = scenarios.Invalid, scenarios.Sentence(r.Scenario.Secrets.Mask(err.Error()))
	if in, ok := errors.AsType[Interrupt](err); ok {
		res.Verdict, res.ExitCode = scenarios.Interrupted, in.Code
		return res
	}
	res.ExitCode = res.Verdict.ExitCode()
	return res
}

// result judges what was measured.
func (r *runner) result(ctx context.Context) (*scenarios.Result, error) {
	sc := r.Scenario
	res := r.head()
	c := judge.Case{
		SLO: r.judgedBy(), Warmup: sc.Warmup, Hold: sc.Judge.HoldOr(), Strict: sc.Judge.Strict, Checks: r.checks,
		Samples: r.samples, Faults: map[string]judge.FaultCase{}, NoTraffic: map[int]bool{}, Unverified: map[int]bool{},
		Detected: map[int]judge.Detection{},
	}
	if sc.Trace.Sends() {
		c.TraceID = func(load int, low uint64) scenarios.TraceID {
			return scenarios.NewTraceID(r.traceHigh(r.Loads[load].Name), low)
		}
		res.TraceLink = sc.Trace.Link.Text()
	}
	r.observed.stop()
	if len(r.observed.alerts) > 0 {
		for _, rec := range r.records {
			if rec.N >= 0 && rec.Detect == nil {
				rec.Detect = r.observed.earliest(rec.Injected)
			}
		}
	}
	r.observed.judgedBy(c.SLO, r.records, &c)
	c.Usage, c.Series = r.usage.finish(r.onClock()), r.observed.finished()
	for _, rec := range r.records {
		if rec.Skipped {
			c.Skipped = append(c.Skipped, judge.Skipped{Fault: rec.Fault, Name: rec.Name, Why: rec.InjectErr.Error()})
		}
		if rec.N < 0 {
			continue
		}
		if rec.Traffic != nil {
			c.NoTraffic[rec.N] = rec.Traffic.N == 0
		}
		c.Unverified[rec.N] = rec.VerifyErr != nil
		if rec.Detect != nil {
			c.Detected[rec.N] = r.detection(rec.Detect)
		}
	}
	for _, e := range r.Faults {
		c.Faults[e.Name] = judge.FaultCase{RequireImpact: e.RequireImpact}
	}
	end := time.Duration(0)
	for i := range r.Loads {
		lp := &r.Loads[i]
		span := judge.Span{From: lp.Schedule.Start(), To: max(0, r.stats[i].End)}
		c.Loads = append(c.Loads, span)
		end = max(end, span.To)
		res.Loads = append(res.Loads, scenarios.LoadInfo{
			Name: lp.Name, Executor: lp.Executor, Engine: lp.engineName(), Closed: lp.Schedule.Closed(), Start: scenarios.Sec(span.From), End: scenarios.Sec(span.To), Steps: r.stepsOf(i),
		})
	}
	r.judged, c.Ledger, res.Ledger = slices.Clone(c.SLO), r.written, r.written
	f, err := judge.Judge(r.rec.Finish(), c)
	if err != nil {
		return nil, err
	}
	res.Duration = scenarios.Sec(end)
	res.Phases, res.Cells, res.Windows = f.Phases, f.Cells, f.Windows
	res.Objectives = append(res.Objectives, f.Objectives...)
	r.scriptThresholds(res)
	res.Metrics = r.scriptMetrics()
	res.Errors = append(res.Errors, f.Errors...)
	res.Slowest = f.Slowest
	res.Histograms = f.Histograms
	res.Faults = append(res.Faults, r.faultRecords(f)...)
	res.Repeats = scenarios.Repeats(res.Faults)
	res.Generator, res.Usage, res.Series, res.Alerts = r.generator(f), c.Usage, c.Series, r.observed.fired(r.records)
	r.decide(ctx, res, f.Faults)
	res.Reason = sc.Secrets.Mask(res.Reason)
	r.ownDeaths(end)
	r.full()
	r.spoken()
	res.Notes = slices.Concat(r.Notes, r.notes, f.Notes)
	return res, nil
}

// stepsOf names the steps of load i; those of a script are the ones that it had.
func (r *runner) stepsOf(i int) []string {
	for _, s := range r.scripts {
		if s.index == i {
			return s.stepNames()
		}
	}
	return r.Loads[i].Steps
}

// judgedBy lists the objectives of this run: a control run is not judged by what
// faults would have done.
func (r *runner) judgedBy() []scenarios.Objective {
	if !r.o.NoChaos {
		return r.Scenario.SLO
	}
	var out []scenarios.Objective
	for _, o := range r.Scenario.SLO {
		if p := o.PhaseOrRun(); p == "run" || p == "baseline" {
			out = append(out, o)
			continue
		}
		r.note("`%s` is not judged: this is the control run, without faults", o.Text)
	}
	return out
}

// faultRecords joins what was done with what it did to the load.
func (r *runner) faultRecords(f *judge.Findings) []scenarios.FaultRecord {
	var out []scenarios.FaultRecord
	for _, c := range r.records {
		rec := scenarios.FaultRecord{
			Name: c.Name, Kind: c.Kind, Units: c.Units, Zones: c.Zones, Leader: c.Leader, Skipped: c.Skipped, Via: c.Via, Planned: scenarios.Sec(c.Planned),
			Injected: scenarios.NaN, Verified: scenarios.NaN, Cleared: scenarios.NaN, Onset: scenarios.NaN, Failover: scenarios.NaN,
			Recover: scenarios.NaN, Heal: scenarios.NaN, Detect: scenarios.NaN, DetectResolution: scenarios.NaN, OnsetAt: scenarios.NaN, RecoveredAt: scenarios.NaN,
			Within: scenarios.NaN, Impact: scenarios.NotInjected, Revert: string(chaos.None), Evidence: r.Scenario.Secrets.Mask(c.Evidence),
			GoneEvidence: r.Scenario.Secrets.Mask(c.GoneText),
		}
		if rec.Units == nil {
			rec.Units = []string{}
		}
		if c.OneShot {
			rec.Within = scenarios.Sec(c.Within)
		}
		if c.N >= 0 && c.N < len(f.Faults) {
			fill(&rec, c, f.Faults[c.N])
		}
		if err := errors.Join(c.InjectErr, c.VerifyErr, c.RevertErr); err != nil {
			rec.Note = strings.ReplaceAll(r.Scenario.Secrets.Mask(err.Error()), "\n", "; ")
		}
		if c.Late != "" {
			rec.Note = strings.TrimPrefix(rec.Note+"; "+c.Late, "; ")
		}
		if c.Detect != nil && c.N >= 0 {
			r.fillDetect(&rec, c)
		}
		if c.N >= 0 {
			rec.Alerts = r.observed.after(c.Injected, c.Cleared)
		}
		out = append(out, rec)
	}
	slices.SortStableFunc(out, func(a, b scenarios.FaultRecord) int { return cmp.Compare(when(a), when(b)) })
	return out
}

func when(r scenarios.FaultRecord) float64 {
	if r.Injected.Known() {
		return float64(r.Injected)
	}
	return float64(r.Planned)
}

func fill(rec *scenarios.FaultRecord, c *chaos.Record, f judge.FaultFinding) {
	rec.Injected, rec.Cleared = scenarios.Sec(c.Injected), scenarios.Sec(c.Cleared)
	if c.VerifyErr == nil {
		rec.Verified = scenarios.Sec(c.Verified)
	}
	rec.Gone, rec.Revert = c.Gone, string(c.Revert)
	rec.Traffic, rec.TrafficUnit = f.Requests, "requests"
	if c.Traffic != nil {
		rec.Traffic, rec.TrafficUnit = c.Traffic.N, c.Traffic.Unit
	}
	since := func(at scenarios.Num, from time.Duration) scenarios.Num {
		return scenarios.Num(max(0, float64(at)-from.Seconds()))
	}
	rec.Impact, rec.Note, rec.Limit = f.Impact, f.Note, scenarios.Num(f.Limit)
	rec.Resolution, rec.Area, rec.Degraded, rec.Failed = scenarios.Sec(f.Resolution), scenarios.Num(f.Area), scenarios.Sec(f.Degraded), f.Failed
	rec.OnsetAt, rec.RecoveredAt = f.OnsetAt, f.RecoveredAt
	rec.Onset, rec.Failover = since(f.OnsetAt, c.Injected), since(f.FailoverAt, c.Injected)
	rec.Recover, rec.Heal = since(f.RecoveredAt, c.Injected), since(f.RecoveredAt, c.Cleared)
	if f.Impact == scenarios.NotRecovered {
		rec.Recover, rec.Heal = scenarios.Num(math.Inf(1)), scenarios.Num(math.Inf(1))
	}
	if c.Early {
		rec.Note = strings.TrimPrefix(rec.Note+"; taken back early, as the run ended", "; ")
	}
}
