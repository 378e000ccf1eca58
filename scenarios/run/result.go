package run

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/run/casefile"
	"brunt/scenarios/run/events"
	"brunt/scenarios/run/outcome"
	"brunt/scenarios/slo"
)

// head fills in the part of a result that is known before any measurement.
func (s *session) head(of *Identity) *result.Result {
	sc, faults := s.plan.Scenario, len(s.plan.Faults) > 0
	var params []result.Param
	for _, p := range sc.Params() {
		params = append(params, result.Param(p))
	}
	return &result.Result{
		Version: result.ResultVersion, Definitions: result.Definitions,
		Run: s.o.ID, Name: sc.Name, Hypothesis: sc.Hypothesis, Meta: sc.Meta, Seed: sc.Seed,
		Started: s.began, T0: s.log.T0(), Chaos: !s.o.NoChaos && faults, Control: s.o.NoChaos && faults,
		Environment: of.Environment(), Scenario: sc.Explain(), Params: params,
		Loads: []result.LoadInfo{}, Phases: []result.Phase{}, Cells: []result.Cell{}, Errors: []result.ErrorGroup{},
		Faults: []result.FaultRecord{}, Objectives: []result.ObjectiveResult{}, Windows: []result.Window{},
		Generator: result.Generator{Healthy: true, Limits: []string{}},
	}
}

// unstarted returns the result of a run that ended before its load.
func (r *runner) unstarted(err error) *result.Result {
	res := r.session.head(r.identity)
	res.Notes = slices.Concat(r.plan.Notes, r.log.Noted())
	for _, o := range r.session.judgedBy() {
		one := result.NewObjective(o, scenarios.Invalid)
		one.Because = result.Notes{{Kind: result.LoadUnbegun}}
		one.Say()
		res.Objectives = append(res.Objectives, one)
	}
	why := result.Reason{
		Kind: result.NotStarted, Verdict: scenarios.Invalid, Text: r.plan.Scenario.Secrets.Mask(err.Error()),
	}
	in, interrupted := errors.AsType[Interrupt](err)
	if interrupted {
		why.Verdict = scenarios.Interrupted
	}
	res.Because(why)
	if res.ExitCode = res.Verdict.ExitCode(); interrupted {
		res.ExitCode = in.Code
	}
	return res
}

// result judges the measurements.
func (r *runner) result(ctx context.Context) (*result.Result, error) {
	r.observers.observed.Stop()
	s := r.snapshotAtEnd(ctx)
	if err := r.loads.accountFor(s.ends); err != nil {
		return nil, err
	}
	c := s.judgeCase()
	all := r.loads.rec.Finish()
	f, err := judge.Judge(all, c)
	if err != nil {
		return nil, err
	}
	of := r.outcome(ctx, s, &c)
	of.Known.Traces = s.traces(f.Phases)
	res := of.Compose(f)
	res.Reason = r.plan.Scenario.Secrets.Mask(res.Reason)
	if of.Gone == "" {
		r.ended = of.Known.Duration.D()
	}
	r.loads.noteLimits()
	r.loads.noteProtocols()
	r.loads.noteSlow()
	r.loads.noteKept(res)
	noteResent(r.log, f.Cells, r.observers.usage.SoFar(nil))
	of.Known.Notes = slices.Concat(r.plan.Notes, r.log.Noted())
	res.Notes = slices.Concat(of.Known.Notes, f.Notes)
	if casefile.Wanted() {
		if r.kept, err = casefile.Taken(all, &c, of, s.beside(), f); err != nil {
			return nil, err
		}
		r.noted = len(res.Notes)
	}
	return res, nil
}

// beside returns the readings that the judge asks for as functions.
func (s *snapshot) beside() casefile.Beside {
	out := casefile.Beside{Waits: s.waits}
	if spans := s.session.spans; spans != nil {
		out.Spans, out.Traced, out.Came = true, spans.Traced(s.plan.Scenario.Trace.Services), spans.Any()
	}
	return out
}

// keep writes the case file of the run, if one is wanted. A run that brunt itself broke has none.
func (r *runner) keep(res *result.Result) error {
	if r.kept == nil || res.Verdict == scenarios.Broken || res.Verdict == scenarios.NotReverted {
		return nil
	}
	text, err := json.Marshal(res)
	if err != nil {
		return err
	}
	r.kept.Finish(res, r.noted, text)
	return r.kept.Keep(r.session.o.ID)
}

// outcome returns what the run knows besides its measurements.
func (r *runner) outcome(ctx context.Context, s *snapshot, c *judge.Case) *outcome.Run {
	end := time.Duration(0)
	for _, e := range s.ends {
		end = max(end, e)
	}
	res := r.session.head(r.identity)
	s.addTo(res, c)
	of := &outcome.Run{
		Known: res, Faults: s.faults(), LagLimit: lagLimit(r.plan.Scenario.SLO), Machine: ownMachine(),
		Escape: r.escaped, EscapedFrom: r.escapedFrom, Smoke: r.plan.Smoke, Scripts: r.loads.scripts.Failures(),
	}
	res.Duration, res.Overload = result.Sec(end), r.overload
	if r.overload != nil {
		of.Escape = nil
	}
	res.SetLedgers(r.written)
	res.Consistency, res.Deliveries = r.consistent, r.delivered
	if r.plan.Scenario.Trace.Sends() {
		res.TraceLink = r.plan.Scenario.Trace.Link.Text()
	}
	res.Objectives, _ = r.loads.scripts.Thresholds()
	res.Metrics = r.loads.scripts.Metrics()
	limits := r.loads.scripts.Limits()
	r.addGenerator(of, limits)
	res.Alerts = r.observers.observed.Fired(r.faults.records)
	unfit := unfitBy(result.ScriptLimit, limits)
	unfit = append(unfit, unfitBy(result.WorkerLost, r.loads.addWorkers(res, len(s.slo)+len(res.Objectives)))...)
	if r.session.sys != nil { // an imported result has no target
		broken := r.session.sys.Broken(ctx)
		for _, why := range broken {
			r.log.Note("%s", why)
		}
		unfit = append(unfit, unfitBy(result.LinkBroken, broken)...)
	}
	res.Events = r.log.Events() // so far: how units ended
	addCause(of, context.Cause(ctx), r.caller)
	if r.broken != nil {
		text := strings.ReplaceAll(r.broken.Error(), "\n", "; ")
		of.Unfit = append(of.Unfit, result.Reason{Kind: result.BruntFailed, Verdict: scenarios.Broken, Text: text})
		r.log.Note("%v", r.broken)
	}
	of.Unfit = append(of.Unfit, unfit...)
	r.addReasons(of, of.Refused != nil)
	return of
}

// unfitBy returns reasons of one kind why the figures of a run can't be trusted.
func unfitBy(kind result.ReasonKind, texts []string) (out []result.Reason) {
	for _, text := range texts {
		out = append(out, result.Reason{Kind: kind, Verdict: scenarios.Invalid, Text: text})
	}
	return out
}

// addGenerator adds the health of brunt, as far as the measurements of the load do not show it. limits are those of
// scripts.
func (r *runner) addGenerator(of *outcome.Run, limits []string) {
	g := r.observers.health
	if r.loads.account != nil {
		r.loads.crew.AddHealth(&g)
	}
	for _, why := range limits {
		g.Add(result.Limit{Kind: result.LimitScript, Value: result.NaN, Most: result.NaN, Sentence: why})
	}
	r.loads.limitOfReader(&g)
	r.loads.limitsOfWorkers(&g)
	of.Limits, g.Limited, g.Limits = g.Limited, nil, nil
	r.loads.addFigures(&g)
	of.Known.Generator = g
}

// judgedBy lists the objectives of this run; a control run leaves out those on faults.
func (s *session) judgedBy() []slo.Objective {
	judged := s.plan.Objectives(s.o.NoChaos)
	rest := judged
	for _, o := range s.plan.Scenario.SLO {
		if len(rest) > 0 && rest[0].Text == o.Text {
			rest = rest[1:]
			continue
		}
		s.log.Note("`%s` is not judged: this is the control run, without faults", o.Text)
	}
	return judged
}

// noteResent notes that requests waited for a SYN to be sent again, and the units whose systems dropped connections
// because an accept queue was full.
func noteResent(log *events.Log, cells []result.Cell, units []result.UnitUsage) {
	for i := range cells {
		if c := &cells[i]; c.Phase.Kind == slo.RunPhase && c.Load == "*" && c.Step == "*" && c.Resent != nil {
			log.Note("%s", c.Resent.Sentence(c.Count))
		}
	}
	var sharing []string // units that share a network namespace, and so its counter, with brunt
	var dropped int64
	for _, u := range units {
		switch n := u.AcceptOverflows; {
		case n > 0 && u.AcceptShared:
			sharing, dropped = append(sharing, u.Unit), max(dropped, n)
		case n > 0:
			log.Note("the accept queue of %s was full: its system dropped %d attempts to connect", u.Unit, n)
		}
	}
	if dropped > 0 {
		log.Note("an accept queue in the network namespace of %s, which is brunt's own as well, was full: the system "+
			"dropped %d attempts to connect", strings.Join(sharing, ", "), dropped)
	}
}
