package run

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure"
)

// head fills in what a result says before anything was measured.
func (r *runner) head() *scenarios.Result {
	sc := r.Scenario
	return &scenarios.Result{
		Version: 1, Run: r.o.ID, Name: sc.Name, Hypothesis: sc.Hypothesis, Seed: sc.Seed, Started: r.began, T0: r.t0,
		Environment: environment(sc.Target.URL.Text()), Scenario: sc.Explain(),
		Loads: []scenarios.LoadInfo{}, Phases: []scenarios.Phase{}, Cells: []scenarios.Cell{}, Errors: []scenarios.ErrorGroup{},
		Faults: []scenarios.FaultRecord{}, Objectives: []scenarios.ObjectiveResult{}, Windows: []scenarios.Window{},
		Generator: scenarios.Generator{Limits: []string{}},
	}
}

// unstarted is the result of a run that never came to its load.
func (r *runner) unstarted(err error) *scenarios.Result {
	res := r.head()
	res.Verdict, res.Reason = scenarios.Invalid, sentence(r.Scenario.Secrets.Mask(err.Error()))
	if in, ok := errors.AsType[Interrupt](err); ok {
		res.Verdict, res.ExitCode = scenarios.Interrupted, in.Code
		return res
	}
	res.ExitCode = res.Verdict.ExitCode()
	return res
}

// sentence gives s a capital letter and a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// result judges what was measured.
func (r *runner) result(ctx context.Context) (*scenarios.Result, error) {
	sc := r.Scenario
	res := r.head()
	c := measure.Case{
		SLO: sc.SLO, Warmup: sc.Warmup, Hold: sc.Judge.HoldOr(), Strict: sc.Judge.Strict, Seed: sc.Seed, Checks: r.Checks,
		Samples: r.samples, Faults: map[string]measure.FaultCase{},
	}
	end := time.Duration(0)
	for i := range r.Loads {
		lp := &r.Loads[i]
		span := measure.Span{From: lp.Schedule.Start(), To: max(0, r.stats[i].End)}
		c.Loads = append(c.Loads, span)
		end = max(end, span.To)
		res.Loads = append(res.Loads, scenarios.LoadInfo{
			Name: lp.Name, Executor: lp.Executor, Closed: lp.Schedule.Closed(), Start: scenarios.Sec(span.From), End: scenarios.Sec(span.To), Steps: lp.Steps,
		})
	}
	f, err := r.rec.Finish(c)
	if err != nil {
		return nil, err
	}
	res.Duration = scenarios.Sec(end)
	res.Phases, res.Cells, res.Windows, res.Objectives = f.Phases, f.Cells, f.Windows, f.Objectives
	res.Errors = append(res.Errors, f.Errors...)
	res.Histograms = f.Histograms
	res.Notes = append(slices.Clone(r.Notes), f.Notes...)
	res.Generator = r.generator(f)
	r.decide(ctx, res)
	res.Events = r.events
	return res, nil
}

const (
	lagShare = 0.1                   // of the tightest latency objective
	lagMost  = 10 * time.Millisecond // p99 lag above it is never healthy
	sentLess = 0.99                  // of the schedule, for want of brunt's own means
)

// lagLimit is the p99 lag that a healthy run stays under.
func (r *runner) lagLimit() time.Duration {
	limit := lagMost
	for _, o := range r.Scenario.SLO {
		if o.Metric.Latency() && o.Upper() && o.Value > 0 {
			limit = min(limit, time.Duration(lagShare*o.Value*1e9))
		}
	}
	return limit
}

// generator tells whether brunt was the limit.
func (r *runner) generator(f *measure.Findings) scenarios.Generator {
	g := r.mon.finish()
	g.Lag, g.Queue, g.Offered, g.Sent, g.Clamped = f.Lag, f.Queue, f.Offered, f.Sent, f.Clamped
	g.Limits = []string{}
	limit := r.lagLimit()
	g.LagLimit = scenarios.Sec(limit)
	for _, phase := range slices.Sorted(keys(f.LagByPhase)) {
		if lag := f.LagByPhase[phase]; lag > limit.Seconds() {
			g.Limits = append(g.Limits, fmt.Sprintf("p99 lag %s in %s is over %s: brunt itself was late. Give it a processor of its own, a lower rate, or `pacing: efficient`.",
				scenarios.FormatSeconds(lag), phase, scenarios.FormatSeconds(limit.Seconds())))
		}
	}
	if n := f.Causes[scenarios.NoSocket]; n > 0 && float64(n) > (1-sentLess)*float64(max(1, f.Offered)) {
		g.Limits = append(g.Limits, fmt.Sprintf("%d requests found no socket: this machine ran out of files or ports. Raise `ulimit -n`, keep connections alive, or name more source_addresses.", n))
	}
	g.Healthy = len(g.Limits) == 0
	var names []string
	for i := range r.stats {
		if p := r.stats[i].Pacing; !slices.Contains(names, p) {
			names = append(names, p)
		}
		g.InFlightMax += r.stats[i].PeakFlight
		g.Connections += r.clients[i].Opened()
	}
	g.Pacing = strings.Join(names, ", ")
	return g
}

func keys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// decide sets verdict, exit code and reason by the order of precedence.
func (r *runner) decide(ctx context.Context, res *scenarios.Result) {
	res.Verdict, res.Reason = scenarios.Pass, ""
	worse := func(v scenarios.Verdict, reason string) {
		if w := scenarios.Worse(res.Verdict, v); w != res.Verdict {
			res.Verdict, res.Reason = w, sentence(reason)
		}
	}
	if len(res.Objectives) > 0 {
		r.decideObjectives(res, worse)
	} else {
		res.Reason = "No objective was set, so nothing could fail."
	}
	if !res.Generator.Healthy {
		worse(scenarios.Invalid, res.Generator.Limits[0])
	}
	code := 0
	if cause := context.Cause(ctx); cause != nil {
		if in, ok := errors.AsType[Interrupt](cause); ok {
			worse(scenarios.Interrupted, "interrupted after "+scenarios.FormatSeconds(math.Round(float64(res.Duration))))
			code = in.Code
		} else if errors.Is(cause, ErrUsedUp) {
			worse(scenarios.Invalid, cause.Error())
		}
	}
	res.ExitCode = res.Verdict.ExitCode()
	if res.Verdict == scenarios.Interrupted && code != 0 {
		res.ExitCode = code
	}
}

func (r *runner) decideObjectives(res *scenarios.Result, worse func(scenarios.Verdict, string)) {
	count := map[scenarios.Verdict]int{}
	for _, o := range res.Objectives {
		count[o.Verdict]++
	}
	res.Reason = fmt.Sprintf("All %d objectives held.", len(res.Objectives))
	if len(res.Objectives) == 1 {
		res.Reason = "The objective held."
	}
	for _, v := range []scenarios.Verdict{scenarios.Inconclusive, scenarios.Fail} {
		for i, o := range res.Objectives {
			if o.Verdict != v {
				continue
			}
			what := map[scenarios.Verdict]string{scenarios.Fail: "failed", scenarios.Inconclusive: "could not be decided"}[v]
			head := fmt.Sprintf("%d of %d objectives %s: ", count[v], len(res.Objectives), what)
			if len(res.Objectives) == 1 {
				head = "The objective " + what + ": "
			}
			worse(v, head+r.sayObjective(o, r.Scenario.SLO[i]))
			break
		}
	}
}

// sayObjective puts an objective and what was measured into words.
func (r *runner) sayObjective(o scenarios.ObjectiveResult, def scenarios.Objective) string {
	s := o.Text
	switch {
	case o.Measured.Known():
		s += ", measured " + def.Metric.FormatValue(float64(o.Measured))
	case o.Infinite && def.Metric.Latency():
		s += ", and more requests failed than it allows"
	}
	if o.Note != "" {
		s += " (" + o.Note + ")"
	}
	return s
}
