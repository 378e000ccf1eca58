package casefile

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/observe"
	"brunt/scenarios/observe/traces"
	"brunt/scenarios/result"
	"brunt/scenarios/run/outcome"
	"brunt/scenarios/slo"
)

// Beside is what [Taken] needs as data, and the judge asks as functions.
type Beside struct {
	Waits  *observe.Waits
	Spans  bool // spans were received, or would have been
	Traced []traces.Traced
	Came   bool // a span came
}

// Taken returns the case of a run, from what the judge and the result of the run are made of.
func Taken(r *measure.Recording, c *judge.Case, of *outcome.Run, beside Beside, found *judge.Findings) (*Case, error) {
	out := &Case{Version: version}
	var cells bytes.Buffer
	if err := r.Write(&cells); err != nil {
		return nil, err
	}
	out.Cells = cells.Bytes()
	names := map[scenarios.Cause]bool{}
	err := r.Cells(func(_ measure.Key, cell *measure.Cell) {
		for _, n := range cell.Causes {
			names[n.Cause] = true
		}
	})
	if err != nil {
		return nil, err
	}
	out.Measured = measured(r)
	for _, cause := range slices.Sorted(maps.Keys(names)) {
		out.Measured.Causes = append(out.Measured.Causes, Cause{uint32(cause), c.Causes.Name(cause)})
	}
	out.Asked = asked(r.Faults, c, beside)
	out.Known = known(of, found)
	out.Events = of.Known.Events
	return out, nil
}

func measured(r *measure.Recording) Measured {
	out := Measured{
		Slow: r.Config.Slow, SlowShare: r.Config.SlowShare, SlowBy: r.Config.SlowBy, Timeout: r.Config.Timeout,
		Sets: r.Sets, Marks: r.Marks,
	}
	for _, l := range r.Config.Loads {
		out.Loads = append(out.Loads, Load(l))
	}
	for _, s := range r.Config.Steps {
		out.Steps = append(out.Steps, Step(s))
	}
	for _, l := range r.Config.Limits {
		out.Limits = append(out.Limits, Limit(l))
	}
	for _, f := range r.Faults {
		out.Faults = append(out.Faults, Injection(f))
	}
	for _, start := range slices.Sorted(maps.Keys(r.InFlight)) {
		out.InFlight = append(out.InFlight, InFlight{start, r.InFlight[start]})
	}
	if r.Config.Freezes != nil {
		for _, f := range r.Config.Freezes() {
			out.Freezes = append(out.Freezes, Span(f))
		}
	}
	if r.Err != nil {
		out.Failed = r.Err.Error()
	}
	return out
}

func asked(faults []measure.Occurrence, c *judge.Case, beside Beside) Asked {
	out := Asked{
		Faults: map[string]FaultRules{}, Loads: spansOf(c.Loads), Blocks: spansOf(c.Blocks), EndedEarly: c.EndedEarly,
		Warmup: c.Warmup, Hold: c.Hold, Limit: c.Limit, Strict: c.Strict, Checks: c.Causes.Checks,
		Occurrences: map[int]*Occurrence{}, Stages: c.Stages, Recurring: c.Recurring,
		Held: spansOf(c.Held), Used: spansOf(c.Used), Contested: spansOf(c.Contested), Peers: c.Peers,
		OwnLoad: c.Generator != nil, Waits: waitsOf(beside.Waits), Spans: beside.Spans, SpansCame: beside.Came,
	}
	for i := range c.SLO {
		out.Objectives = append(out.Objectives, Objective{c.SLO[i].ID, c.SLO[i].Text})
	}
	if c.Steady != nil {
		out.Steady = &Objective{c.Steady.ID, c.Steady.Text}
	}
	for _, f := range c.Causes.Families {
		out.Families = append(out.Families, Family{uint32(f.First), f.Bits, f.TimedOut})
	}
	for _, s := range c.Skipped {
		out.Skipped = append(out.Skipped, Skipped(s))
	}
	for _, t := range beside.Traced {
		out.Traced = append(out.Traced, Traced(t))
	}
	if c.Lost != nil {
		out.Lost = &Lost{Why: c.Lost.Why}
		for _, l := range c.Lost.Loads {
			out.Lost.Loads = append(out.Lost.Loads, LostLoad(l))
		}
	}
	out.addOccurrences(faults, c)
	return out
}

// addOccurrences gathers what a case has by the number of the occurrence.
func (a *Asked) addOccurrences(faults []measure.Occurrence, c *judge.Case) {
	of := func(n int) *Occurrence {
		if a.Occurrences[n] == nil {
			a.Occurrences[n] = &Occurrence{}
		}
		return a.Occurrences[n]
	}
	for n := range c.Occurrences {
		o := &c.Occurrences[n]
		a.Faults[faults[n].Fault] = FaultRules{o.RequireImpact, o.Group, o.OneShot}
		a.Occurrences[n] = &Occurrence{
			NoTraffic: o.NoTraffic, Ended: o.Ended, StaysDown: o.StaysDown, Gone: o.Gone, Unverified: o.Unverified,
			Partial: o.Partial, Acts: o.Acts, Unwell: spansOf(o.Unwell), Apart: o.Apart, Hit: o.Hit,
		}
	}
	for n, d := range c.Detected {
		is := Detection(d)
		of(n).Detected = &is
	}
	for key, d := range c.Alerts {
		put(&of(key.Occurrence).Alerts, key.Alert, Detection(d))
	}
	for key, r := range c.Resolved {
		put(&of(key.Occurrence).Resolved, key.Alert, Resolution(r))
	}
	for key, at := range c.Marks {
		put(&of(key.Occurrence).Marks, string(key.Kind), at)
	}
}

func put[K comparable, V any](m *map[K]V, key K, v V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = v
}

func known(of *outcome.Run, found *judge.Findings) Known {
	out := Known{
		Result: of.Known, LagLimit: of.LagLimit, Procs: of.Machine.Procs, Ports: of.Machine.Ports, Escape: of.Escape,
		EscapedFrom: of.EscapedFrom, Ended: of.Ended, Unfit: of.Unfit, Gone: of.Gone, Scripts: of.Scripts, Smoke: of.Smoke,
		Code: of.Code, Slowest: found.Slowest,
	}
	if of.Refused != nil {
		out.Refused = &Refusal{of.Refused.What, of.Refused.Undeclared}
	}
	for _, l := range of.Limits {
		out.Limits = append(out.Limits, Sentence{l, l.Sentence})
	}
	for _, f := range of.Faults {
		out.Faults = append(out.Faults, Fault{f.FaultRecord, f.N, f.Unnoticed, f.Reasons, f.Void, f.Cuts, f.Brief})
	}
	for i := range found.Errors {
		out.Samples = append(out.Samples, found.Errors[i].Sample)
	}
	return out
}

// Finish adds what came into the result after its verdict, and the result itself, as JSON. before is the number of
// notes that the result had with its verdict.
func (c *Case) Finish(res *result.Result, before int, asJSON []byte) {
	c.Known.Later = Later{Ended: res.Ended, Conditions: res.Conditions, Logs: res.Logs, Notes: res.Notes[before:]}
	c.Events, c.Result = res.Events, asJSON
}

// Judge judges the case by the rules of this brunt, and returns the result.
func (c *Case) Judge() (*result.Result, error) {
	recording, asked, err := c.adapted()
	if err != nil {
		return nil, err
	}
	found, err := judge.Judge(recording, asked)
	if err != nil {
		return nil, err
	}
	k := &c.Known
	found.Slowest = k.Slowest
	for i := range min(len(found.Errors), len(k.Samples)) {
		found.Errors[i].Sample = k.Samples[i]
	}
	of := outcome.Run{
		Known: k.Result, LagLimit: k.LagLimit, Machine: outcome.Machine{Procs: k.Procs, Ports: k.Ports}, Escape: k.Escape,
		EscapedFrom: k.EscapedFrom, Ended: k.Ended, Unfit: k.Unfit, Gone: k.Gone, Scripts: k.Scripts, Smoke: k.Smoke,
		Code: k.Code,
	}
	if k.Refused != nil {
		of.Refused = &outcome.Refusal{What: k.Refused.What, Undeclared: k.Refused.Undeclared}
	}
	for _, l := range k.Limits {
		l.Limit.Sentence = l.Sentence
		of.Limits = append(of.Limits, l.Limit)
	}
	for _, f := range k.Faults {
		of.Faults = append(of.Faults, outcome.Fault{
			FaultRecord: f.Record, N: f.N, Unnoticed: f.Unnoticed, Reasons: f.Reasons, Void: f.Void, Cuts: f.Cuts,
			Brief: f.Brief,
		})
	}
	res := of.Compose(found)
	res.Conditions, res.Logs, res.Ended, res.Events = k.Later.Conditions, k.Later.Logs, k.Later.Ended, c.Events
	res.Notes = append(res.Notes, k.Later.Notes...)
	res.Attach()
	return res, nil
}

// adapted returns the case in the form that the judge needs. It is the one place that changes with that form.
func (c *Case) adapted() (*measure.Recording, judge.Case, error) {
	asked, err := c.Asked.judgeCase(c.Known.Result, &c.Measured)
	return c.recording(), asked, err
}

func (c *Case) recording() *measure.Recording {
	m := &c.Measured
	r := &measure.Recording{
		Config: measure.Config{Slow: m.Slow, SlowShare: m.SlowShare, SlowBy: m.SlowBy, Timeout: m.Timeout},
		Marks:  m.Marks, InFlight: map[time.Duration]int64{},
	}
	for _, l := range m.Loads {
		r.Config.Loads = append(r.Config.Loads, measure.SeriesLoad(l))
	}
	for _, s := range m.Steps {
		r.Config.Steps = append(r.Config.Steps, measure.SeriesStep(s))
	}
	for _, l := range m.Limits {
		r.Config.Limits = append(r.Config.Limits, measure.Limit(l))
	}
	r.Sets = m.Sets
	for _, f := range m.Faults {
		r.Faults = append(r.Faults, measure.Occurrence(f))
	}
	for _, f := range m.InFlight {
		r.InFlight[f.Start] = f.Most
	}
	var freezes []measure.Freeze
	for _, f := range m.Freezes {
		freezes = append(freezes, measure.Freeze(f))
	}
	r.Config.Freezes = func() []measure.Freeze { return freezes }
	if m.Failed != "" {
		r.Err = errors.New(m.Failed)
	}
	r.Read(c.Cells)
	return r
}

func (a *Asked) judgeCase(known *result.Result, m *Measured) (judge.Case, error) {
	c := judge.Case{
		Loads: backOf(a.Loads), Blocks: backOf(a.Blocks), EndedEarly: a.EndedEarly,
		Warmup: a.Warmup, Hold: a.Hold, Limit: a.Limit, Strict: a.Strict,
		Ledgers: known.AllLedgers(), Consistency: known.Consistency, Deliveries: known.Deliveries,
		Recurring: a.Recurring, Occurrences: make([]judge.Occurrence, len(m.Faults)),
		Reactions: series.Reactions{
			Detected: map[int]series.Detection{}, Alerts: map[series.AlertKey]series.Detection{},
			Resolved: map[series.AlertKey]series.Resolution{}, Marks: map[series.MarkKey]time.Duration{}, Stages: a.Stages,
		},
		Usage: known.Usage, Series: known.Series, Links: known.Links,
		Held: backOf(a.Held), Used: backOf(a.Used), Contested: backOf(a.Contested), Peers: a.Peers,
	}
	for _, kept := range a.Objectives {
		o, err := kept.parsed()
		if err != nil {
			return c, err
		}
		c.SLO = append(c.SLO, o)
	}
	if a.Steady != nil {
		o, err := a.Steady.parsed()
		if err != nil {
			return c, err
		}
		c.Steady = &o
	}
	c.Causes.Checks = a.Checks
	for _, f := range a.Families {
		family := scenarios.CauseFamily{First: scenarios.Cause(f.First), Bits: f.Bits, TimedOut: f.TimedOut}
		family.Name = func(number int32) string {
			at := slices.IndexFunc(m.Causes, func(c Cause) bool { return c.Number == uint32(family.Cause(number)) })
			return m.Causes[at].Name
		}
		c.Causes.Families = append(c.Causes.Families, family)
	}
	for _, s := range a.Skipped {
		c.Skipped = append(c.Skipped, judge.Skipped(s))
	}
	if a.Lost != nil {
		c.Lost = &requests.LostWorkers{Why: a.Lost.Why}
		for _, l := range a.Lost.Loads {
			c.Lost.Loads = append(c.Lost.Loads, requests.LostLoad(l))
		}
	}
	if a.OwnLoad {
		c.Generator = known.Generator.Seconds
	}
	if a.Waits != nil {
		waits := a.Waits.back()
		c.Waited, c.UnitWaits = waits.Waited, waits.WaitedLeast
	}
	if a.Spans {
		c.Traces = a.traces
	}
	for n, f := range m.Faults {
		rules := a.Faults[f.Fault]
		to := &c.Occurrences[n]
		to.RequireImpact, to.Group, to.OneShot = rules.RequireImpact, rules.Group, rules.OneShot
		if of := a.Occurrences[n]; of != nil {
			of.addTo(&c, n)
		}
	}
	return c, nil
}

// parsed returns the objective.
func (o Objective) parsed() (slo.Objective, error) {
	parsed, err := slo.ParseObjective(o.Text)
	parsed.ID = o.ID
	return parsed, err
}

func (a *Asked) traces(from, to time.Duration) (whole, n int64, came bool) {
	for _, t := range a.Traced {
		if t.At >= from && t.At < to {
			if n++; t.Whole {
				whole++
			}
		}
	}
	return whole, n, a.SpansCame
}

func (o *Occurrence) addTo(c *judge.Case, n int) {
	to := &c.Occurrences[n]
	to.NoTraffic, to.Ended, to.StaysDown, to.Gone = o.NoTraffic, o.Ended, o.StaysDown, o.Gone
	to.Unverified, to.Partial, to.Acts, to.Hit = o.Unverified, o.Partial, o.Acts, o.Hit
	to.Unwell, to.Apart = backOf(o.Unwell), o.Apart
	if o.Detected != nil {
		c.Detected[n] = series.Detection(*o.Detected)
	}
	for alert, d := range o.Alerts {
		c.Alerts[series.AlertKey{Occurrence: n, Alert: alert}] = series.Detection(d)
	}
	for alert, r := range o.Resolved {
		c.Resolved[series.AlertKey{Occurrence: n, Alert: alert}] = series.Resolution(r)
	}
	for kind, at := range o.Marks {
		c.Marks[series.MarkKey{Occurrence: n, Kind: result.MarkKind(kind)}] = at
	}
}

func spansOf(list []requests.Span) (out []Span) {
	for _, s := range list {
		out = append(out, Span(s))
	}
	return out
}

func backOf(list []Span) (out []requests.Span) {
	for _, s := range list {
		out = append(out, requests.Span(s))
	}
	return out
}

func waitsOf(w *observe.Waits) *Waits {
	if w == nil {
		return nil
	}
	out := &Waits{Machine: columns(w.Machine)}
	for _, u := range w.Units {
		out.Units = append(out.Units, UnitWaits{u.Unit, columns(u.Readings)})
	}
	for _, h := range w.Helpers {
		out.Helpers = append(out.Helpers, columns(h))
	}
	return out
}

func (w *Waits) back() *observe.Waits {
	out := &observe.Waits{Machine: w.Machine.rows()}
	for _, u := range w.Units {
		out.Units = append(out.Units, observe.UnitWaits{Unit: u.Unit, Readings: u.Readings.rows()})
	}
	for _, h := range w.Helpers {
		out.Helpers = append(out.Helpers, h.rows())
	}
	return out
}

func columns(rows observe.Readings) (out Readings) {
	var last observe.Reading
	for _, r := range rows {
		out.At, out.Waited = append(out.At, r.At-last.At), append(out.Waited, r.Waited-last.Waited)
		out.Least = append(out.Least, r.Least-last.Least)
		out.Group, out.Life = append(out.Group, r.Group), append(out.Life, r.Life)
		last = r
	}
	return out
}

func (c *Readings) rows() (out observe.Readings) {
	var last observe.Reading
	for i := range c.At {
		last = observe.Reading{
			At: last.At + c.At[i], Waited: last.Waited + c.Waited[i], Least: last.Least + c.Least[i], Group: c.Group[i],
			Life: c.Life[i],
		}
		out = append(out, last)
	}
	return out
}
