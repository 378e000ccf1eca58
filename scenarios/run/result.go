package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/measure"
)

// head fills in what a result says before anything was measured.
func (r *runner) head() *scenarios.Result {
	sc := r.Scenario
	return &scenarios.Result{
		Version: 1, Run: r.o.ID, Name: sc.Name, Hypothesis: sc.Hypothesis, Seed: sc.Seed, Started: r.began, T0: r.t0,
		Chaos: !r.o.NoChaos && len(r.Faults) > 0, Control: r.o.NoChaos && len(r.Faults) > 0, Environment: r.environment(), Scenario: sc.Explain(),
		Loads: []scenarios.LoadInfo{}, Phases: []scenarios.Phase{}, Cells: []scenarios.Cell{}, Errors: []scenarios.ErrorGroup{},
		Faults: []scenarios.FaultRecord{}, Objectives: []scenarios.ObjectiveResult{}, Windows: []scenarios.Window{},
		Generator: scenarios.Generator{Healthy: true, Limits: []string{}},
	}
}

// targetName says in a word what was loaded.
func (r *runner) targetName() string {
	t := r.Scenario.Target
	switch {
	case t.Stack != "":
		return "stack " + t.Stack
	case t.Processes != nil:
		return "processes"
	}
	return r.Scenario.Secrets.Mask(t.URL.Text())
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
		SLO: r.judgedBy(), Warmup: sc.Warmup, Hold: sc.Judge.HoldOr(), Strict: sc.Judge.Strict, Checks: r.Checks,
		Samples: r.samples, Faults: map[string]measure.FaultCase{}, NoTraffic: map[int]bool{}, Unverified: map[int]bool{},
	}
	for _, rec := range r.records {
		if rec.N < 0 {
			continue
		}
		if rec.Traffic != nil {
			c.NoTraffic[rec.N] = rec.Traffic.N == 0
		}
		c.Unverified[rec.N] = rec.VerifyErr != nil
	}
	for _, e := range r.Faults {
		c.Faults[e.Name] = measure.FaultCase{RequireImpact: e.RequireImpact}
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
	r.judged = c.SLO
	f, err := r.rec.Finish(c)
	if err != nil {
		return nil, err
	}
	res.Duration = scenarios.Sec(end)
	res.Phases, res.Cells, res.Windows = f.Phases, f.Cells, f.Windows
	res.Objectives = append(res.Objectives, f.Objectives...)
	res.Errors = append(res.Errors, f.Errors...)
	res.Histograms = f.Histograms
	res.Faults = append(res.Faults, r.faultRecords(f)...)
	res.Generator = r.generator(f)
	r.decide(ctx, res, f.Faults)
	r.ownDeaths(end)
	r.full()
	res.Notes = slices.Concat(r.Notes, r.notes, f.Notes)
	return res, nil
}

// ownDeaths notes which units of the target ended without a fault's doing.
func (r *runner) ownDeaths(end time.Duration) {
	first := map[string]int{}
	times := map[string]int{}
	var units []string
	events := r.onClock()
	for i, e := range events {
		at := time.Duration(float64(e.T) * 1e9)
		if e.Event != "unit.exit" || at > end || r.hit(e.Unit, at) {
			continue
		}
		if times[e.Unit]++; times[e.Unit] == 1 {
			first[e.Unit] = i
			units = append(units, e.Unit)
		}
	}
	for _, u := range units {
		e := events[first[u]]
		how := "at " + scenarios.FormatSeconds(math.Round(float64(e.T)*1e3)/1e3)
		if n := times[u]; n > 1 {
			how = fmt.Sprintf("%d times, first %s", n, how)
		}
		r.note("%s ended by itself %s: %s", u, how, e.Text)
	}
}

// hit tells whether a fault was on the unit at the time.
func (r *runner) hit(unit string, at time.Duration) bool {
	const early = 100 * time.Millisecond // an exit may be told before the injecting call is over
	return slices.ContainsFunc(r.records, func(c *chaos.Record) bool {
		return c.N >= 0 && slices.Contains(c.Units, unit) && at >= c.Injected-early && at <= c.Cleared
	})
}

// full notes which loads came to the limit that their author set.
func (r *runner) full() {
	for i := range r.stats {
		if lp := &r.Loads[i]; r.stats[i].Full && lp.MaxInFlight > 0 {
			r.note("load %q reached its max_in_flight of %d: further arrivals waited, and their waiting is part of their response time", lp.Name, lp.MaxInFlight)
		}
	}
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
func (r *runner) faultRecords(f *measure.Findings) []scenarios.FaultRecord {
	var out []scenarios.FaultRecord
	for _, c := range r.records {
		rec := scenarios.FaultRecord{
			Name: c.Name, Kind: c.Kind, Units: c.Units, Via: c.Via, Planned: scenarios.Sec(c.Planned),
			Injected: scenarios.NaN, Verified: scenarios.NaN, Cleared: scenarios.NaN, Onset: scenarios.NaN, Failover: scenarios.NaN,
			Recover: scenarios.NaN, Heal: scenarios.NaN, Detect: scenarios.NaN, OnsetAt: scenarios.NaN, RecoveredAt: scenarios.NaN,
			Within: scenarios.NaN, Impact: scenarios.NotInjected, Revert: string(chaos.None), Evidence: r.Scenario.Secrets.Mask(c.Evidence),
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

func fill(rec *scenarios.FaultRecord, c *chaos.Record, f measure.FaultFinding) {
	rec.Injected, rec.Cleared = scenarios.Sec(c.Injected), scenarios.Sec(c.Cleared)
	if c.VerifyErr == nil {
		rec.Verified = scenarios.Sec(c.Verified)
	}
	rec.Gone, rec.GoneEvidence, rec.Revert = c.Gone, c.GoneText, string(c.Revert)
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
	g := r.health
	g.Lag, g.Queue, g.Offered, g.Sent, g.Clamped = f.Lag, f.Queue, f.Offered, f.Sent, f.Clamped
	g.Limits = []string{}
	limit := r.lagLimit()
	g.LagLimit = scenarios.Sec(limit)
	for _, phase := range slices.Sorted(maps.Keys(f.LagByPhase)) {
		if lag := f.LagByPhase[phase]; lag.Low > limit.Seconds() {
			g.Limits = append(g.Limits, fmt.Sprintf("p99 lag %s in %s is over %s: brunt itself was late. %s",
				scenarios.FormatSeconds(lag.P99), phase, scenarios.FormatSeconds(limit.Seconds()), lagAdvice(float64(g.CPU))))
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
		g.InFlightMax += min(r.stats[i].PeakFlight, int64(r.Loads[i].inFlight()))
		g.Connections += r.clients[i].Opened()
	}
	g.Pacing = strings.Join(names, ", ")
	return g
}

// lagAdvice says what to do about a generator that is late, by the cores it used.
func lagAdvice(cores float64) string {
	if share := cores / float64(runtime.GOMAXPROCS(0)); share > .7 {
		return fmt.Sprintf("It used %.1f cores: give it more of them, a lower rate, or `pacing: efficient`.", cores)
	}
	return "It had little to do, so something else used the processors: give brunt one of its own."
}

// decide sets verdict, exit code and reason by the order of precedence.
func (r *runner) decide(ctx context.Context, res *scenarios.Result, found []measure.FaultFinding) {
	res.Verdict, res.Reason = scenarios.Pass, "No objective was set, so nothing could fail."
	v, cause := verdict{res}, context.Cause(ctx)
	code := r.decideCause(cause, v)
	if r.broken != nil {
		v.worse(scenarios.Broken, r.broken.Error())
	}
	if !res.Generator.Healthy {
		v.worse(scenarios.Invalid, res.Generator.Limits[0])
	}
	r.decideFaults(cause, v) // before the objectives, which it may be the reason for
	if len(res.Objectives) > 0 && !errors.As(cause, new(unsteady)) {
		r.decideObjectives(v)
	}
	r.decideImpacts(v, found)
	res.ExitCode = res.Verdict.ExitCode()
	if res.Verdict == scenarios.Interrupted {
		res.ExitCode = code
	}
}

// verdict worsens a result's.
type verdict struct{ *scenarios.Result }

func (v verdict) worse(to scenarios.Verdict, reason string) {
	if w := scenarios.Worse(v.Verdict, to); w != v.Verdict {
		v.Verdict, v.Reason = w, sentence(reason)
	}
}

// notReverted makes a result say that a fault could not be taken back.
func (r *runner) notReverted(res *scenarios.Result, why string) {
	verdict{res}.worse(scenarios.NotReverted, why)
	res.ExitCode = res.Verdict.ExitCode()
}

// decideFaults judges the faults themselves: one that was not there, met no
// traffic or could not be taken back. Where the steady state did not hold, cause says
// why none was injected.
func (r *runner) decideFaults(cause error, v verdict) {
	refused := errors.As(cause, new(unsteady))
	for _, c := range r.records {
		switch {
		case c.RevertErr != nil:
			v.worse(scenarios.NotReverted, fmt.Sprintf("%s could not be taken back: %v", c.Name, c.RevertErr))
		case c.OneShot && c.N >= 0 && !c.Gone:
			v.worse(scenarios.Invalid, fmt.Sprintf("%s: its unit was not healthy again within %s", c.Name, scenarios.FormatDuration(c.Within)))
		}
		switch {
		case c.Skipped || refused && c.N < 0:
		case c.InjectErr != nil:
			v.worse(scenarios.Invalid, fmt.Sprintf("%s was not injected: %v", c.Name, c.InjectErr))
		case c.VerifyErr != nil:
			v.worse(scenarios.Invalid, fmt.Sprintf("%s was injected, but had no effect: %v", c.Name, c.VerifyErr))
		}
	}
	for _, f := range v.Faults {
		if f.Injected.Known() && f.Traffic == 0 {
			v.worse(scenarios.Invalid, fmt.Sprintf("%s met no traffic, so nothing is known of what it does", f.Name))
		}
	}
}

// decideImpacts fails a run whose target was not well before a judged fault, or in
// which a fault that had to be felt was not.
func (r *runner) decideImpacts(v verdict, found []measure.FaultFinding) {
	for i := range found {
		if why := found[i].Unsteady; why != "" {
			v.worse(scenarios.Fail, "the steady state did not hold: "+why)
		}
	}
	for i := range found {
		if f := &found[i]; f.Required != "" {
			v.worse(f.Required, f.RequiredNote)
		}
	}
}

// decideCause judges why the run ended before its time, if it did, and gives the
// exit code of an interrupt.
func (r *runner) decideCause(cause error, v verdict) int {
	var (
		in   Interrupt
		stop stopped
		un   unsteady
	)
	switch {
	case errors.As(cause, &in):
		v.worse(scenarios.Interrupted, "interrupted after "+scenarios.FormatSeconds(math.Round(float64(v.Duration))))
	case errors.As(cause, &stop):
		v.worse(scenarios.Stopped, stop.Error())
	case errors.As(cause, &un):
		v.worse(scenarios.Fail, un.Error()+"; no fault was injected")
	case errors.Is(cause, ErrUsedUp), errors.Is(cause, ErrSuspend):
		v.worse(scenarios.Invalid, cause.Error())
	}
	return in.Code
}

func (r *runner) decideObjectives(v verdict) {
	count := map[scenarios.Verdict]int{}
	res, objectives := v.Result, r.judged
	for _, o := range res.Objectives {
		count[o.Verdict]++
	}
	if v.Verdict == scenarios.Pass {
		res.Reason = fmt.Sprintf("All %d objectives held.", len(res.Objectives))
		if len(res.Objectives) == 1 {
			res.Reason = "The objective held."
		}
	}
	for _, to := range []scenarios.Verdict{scenarios.Inconclusive, scenarios.Fail, scenarios.Invalid} {
		i := tellingObjective(res.Objectives, objectives, to)
		if i < 0 {
			continue
		}
		what := map[scenarios.Verdict]string{scenarios.Fail: "failed", scenarios.Inconclusive: "could not be decided", scenarios.Invalid: "could not be judged"}[to]
		head := fmt.Sprintf("%d of %d objectives %s: ", count[to], len(res.Objectives), what)
		if len(res.Objectives) == 1 {
			head = "The objective " + what + ": "
		}
		v.worse(to, head+sayObjective(res.Objectives[i], objectives[i]))
	}
}

// tellingObjective is the first objective of a verdict, one on a fault before one on
// the whole run: it says more of why.
func tellingObjective(results []scenarios.ObjectiveResult, objectives []scenarios.Objective, of scenarios.Verdict) int {
	found := -1
	for i := range results {
		if results[i].Verdict != of {
			continue
		}
		if p := objectives[i].PhaseOrRun(); p != "run" && p != "baseline" {
			return i
		}
		if found < 0 {
			found = i
		}
	}
	return found
}

// sayObjective puts an objective and what was measured into words.
func sayObjective(o scenarios.ObjectiveResult, def scenarios.Objective) string {
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

// measuredText writes a measured value for people.
func measuredText(o scenarios.Objective, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "beyond measure"
	}
	return o.Metric.FormatValue(v)
}
