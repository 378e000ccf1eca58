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
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// head fills in the part of a result that is known before any measurement.
func (r *runner) head() *result.Result {
	sc := r.Scenario
	return &result.Result{
		Version: result.ResultVersion, Run: r.o.ID, Name: sc.Name, Hypothesis: sc.Hypothesis, Meta: sc.Meta, Seed: sc.Seed, Started: r.began, T0: r.t0,
		Chaos: !r.o.NoChaos && len(r.Faults) > 0, Control: r.o.NoChaos && len(r.Faults) > 0, Environment: r.environment(), Scenario: sc.Explain(),
		Loads: []result.LoadInfo{}, Phases: []result.Phase{}, Cells: []result.Cell{}, Errors: []result.ErrorGroup{},
		Faults: []result.FaultRecord{}, Objectives: []result.ObjectiveResult{}, Windows: []result.Window{},
		Generator: result.Generator{Healthy: true, Limits: []string{}},
	}
}

// unstarted is the result of a run that ended before its load.
func (r *runner) unstarted(err error) *result.Result {
	res := r.head()
	res.Notes = slices.Concat(r.Notes, r.notes)
	for _, o := range r.judgedBy() {
		res.Objectives = append(res.Objectives, result.ObjectiveResult{
			ID: o.ID, Text: o.Text, Phase: o.PhaseOrRun(), Metric: o.Metric.Text, Op: o.Op, Target: result.Num(o.Value),
			Measured: result.NaN, Low: result.NaN, High: result.NaN, Verdict: scenarios.Invalid, Note: "the load never began",
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

// result judges the measurements.
func (r *runner) result(ctx context.Context) (*result.Result, error) {
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
	r.observed.Stop()
	if r.observed.HasAlerts() {
		for _, rec := range r.records {
			if rec.N >= 0 && rec.Detect == nil {
				rec.Detect = r.observed.Earliest(rec.Injected)
			}
		}
	}
	r.observed.JudgedBy(c.SLO, r.records, &c)
	c.Usage, c.Series = r.usage.Finish(r.onClock()), r.observed.Finished()
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
		res.Loads = append(res.Loads, result.LoadInfo{
			Name: lp.Name, Executor: lp.Executor, Engine: lp.EngineName(), Closed: lp.Schedule.Closed(), Start: result.Sec(span.From), End: result.Sec(span.To), Steps: r.stepsOf(i),
		})
	}
	r.judged, c.Ledger, res.Ledger = slices.Clone(c.SLO), r.written, r.written
	f, err := judge.Judge(r.rec.Finish(), c)
	if err != nil {
		return nil, err
	}
	res.Duration = result.Sec(end)
	res.Phases, res.Cells, res.Windows = f.Phases, f.Cells, f.Windows
	res.Objectives = append(res.Objectives, f.Objectives...)
	r.scriptThresholds(res)
	res.Metrics = r.scriptMetrics()
	res.Errors = append(res.Errors, f.Errors...)
	res.Slowest = f.Slowest
	res.Histograms = f.Histograms
	res.Faults = append(res.Faults, r.faultRecords(f)...)
	res.Repeats = result.Repeats(res.Faults)
	res.Generator, res.Usage, res.Series, res.Alerts = r.generator(f), c.Usage, c.Series, r.observed.Fired(r.records)
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

// judgedBy lists the objectives of this run; a control run leaves out those on faults.
func (r *runner) judgedBy() []slo.Objective {
	if !r.o.NoChaos {
		return r.Scenario.SLO
	}
	var out []slo.Objective
	for _, o := range r.Scenario.SLO {
		if p := o.PhaseOrRun(); p == "run" || p == "baseline" {
			out = append(out, o)
			continue
		}
		r.note("`%s` is not judged: this is the control run, without faults", o.Text)
	}
	return out
}

// faultRecords joins the record of each fault with its effect on the load.
func (r *runner) faultRecords(f *judge.Findings) []result.FaultRecord {
	var out []result.FaultRecord
	for _, c := range r.records {
		rec := result.FaultRecord{
			Name: c.Name, Kind: c.Kind, Units: c.Units, Zones: c.Zones, Leader: c.Leader, Skipped: c.Skipped, Via: c.Via, Planned: result.Sec(c.Planned),
			Injected: result.NaN, Verified: result.NaN, Cleared: result.NaN, Onset: result.NaN, Failover: result.NaN,
			Recover: result.NaN, Heal: result.NaN, Detect: result.NaN, DetectResolution: result.NaN, OnsetAt: result.NaN, RecoveredAt: result.NaN,
			Within: result.NaN, Impact: result.NotInjected, Revert: string(chaos.None), Evidence: r.Scenario.Secrets.Mask(c.Evidence),
			GoneEvidence: r.Scenario.Secrets.Mask(c.GoneText),
		}
		if rec.Units == nil {
			rec.Units = []string{}
		}
		if c.OneShot {
			rec.Within = result.Sec(c.Within)
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
			rec.Alerts = r.observed.After(c.Injected, c.Cleared)
		}
		out = append(out, rec)
	}
	slices.SortStableFunc(out, func(a, b result.FaultRecord) int { return cmp.Compare(when(a), when(b)) })
	return out
}

func when(r result.FaultRecord) float64 {
	if r.Injected.Known() {
		return float64(r.Injected)
	}
	return float64(r.Planned)
}

func fill(rec *result.FaultRecord, c *chaos.Record, f judge.FaultFinding) {
	rec.Injected, rec.Cleared = result.Sec(c.Injected), result.Sec(c.Cleared)
	if c.VerifyErr == nil {
		rec.Verified = result.Sec(c.Verified)
	}
	rec.Gone, rec.Revert = c.Gone, string(c.Revert)
	rec.Traffic, rec.TrafficUnit = f.Requests, "requests"
	if c.Traffic != nil {
		rec.Traffic, rec.TrafficUnit = c.Traffic.N, c.Traffic.Unit
	}
	since := func(at result.Num, from time.Duration) result.Num {
		return result.Num(max(0, float64(at)-from.Seconds()))
	}
	rec.Impact, rec.Note, rec.Limit = f.Impact, f.Note, result.Num(f.Limit)
	rec.Resolution, rec.Area, rec.Degraded, rec.Failed = result.Sec(f.Resolution), result.Num(f.Area), result.Sec(f.Degraded), f.Failed
	rec.OnsetAt, rec.RecoveredAt = f.OnsetAt, f.RecoveredAt
	rec.Onset, rec.Failover = since(f.OnsetAt, c.Injected), since(f.FailoverAt, c.Injected)
	rec.Recover, rec.Heal = since(f.RecoveredAt, c.Injected), since(f.RecoveredAt, c.Cleared)
	if f.Impact == result.NotRecovered {
		rec.Recover, rec.Heal = result.Num(math.Inf(1)), result.Num(math.Inf(1))
	}
	if c.Early {
		rec.Note = strings.TrimPrefix(rec.Note+"; taken back early, as the run ended", "; ")
	}
}
