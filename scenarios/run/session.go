package run

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/connect"
	"brunt/scenarios/load"
	"brunt/scenarios/observe/traces"
	"brunt/scenarios/plan"
	"brunt/scenarios/run/events"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/run/target"
	"brunt/scenarios/secret"
	"brunt/scenarios/template"
	"brunt/targets"
)

// A session holds the data that all parts of a run share.
type session struct {
	plan   *plan.Plan
	log    *events.Log // events and clock of the run
	o      Options
	logger *slog.Logger
	began  time.Time
	env    *template.Env    // data of the run for templates
	vars   []template.Value // variables that setup extracted
	sys    *target.System
	cancel context.CancelCauseFunc // ends the run, with the reason
	hooks  map[string]string       // URLs at which messages of deliveries are received, by environment variable
	spans  *traces.Receiver        // receives spans of the target; nil if the scenario asks for none
}

var discard = slog.New(slog.DiscardHandler)

// newSession creates the session of a plan.
func newSession(p *plan.Plan, o Options) *session {
	if o.ID == "" {
		o.ID = NewID()
	}
	p = plan.For(p, o.ID)
	s := &session{plan: p, o: o, logger: cmp.Or(o.Log, discard), began: time.Now()}
	p.Scenario.Secrets.Shown(names(p)...)
	s.log = events.New(events.Options{
		Mask: p.Scenario.Secrets.Mask, MaskFields: p.Scenario.Secrets.MaskFields, Log: o.Log, Event: o.Event,
	})
	s.env = &template.Env{
		Units: map[string]string{}, Now: s.log.Now, Secrets: p.Scenario.Secrets, Hidden: p.Scenario.Symbols.Secret(),
	}
	return s
}

// names lists the names of a plan's steps, loads, faults and checks.
func names(p *plan.Plan) []string {
	all := slices.Clone(p.Checks)
	for _, step := range p.Series.Steps {
		all = append(all, step.Name)
	}
	for _, load := range p.Series.Loads {
		all = append(all, load.Name)
	}
	for _, c := range p.Conditions {
		all = append(all, c.Name, c.Kind)
	}
	for name, kind := range p.FaultKinds() {
		all = append(all, name, kind)
	}
	return all
}

// protected returns the settings of the run's protection.
func (s *session) protected() guard.Options {
	return guard.Options{
		Run: s.o.ID, State: s.o.State, Watchdog: s.o.Watchdog, At: s.o.At, AgentsAlways: s.o.AgentsAlways,
	}
}

// breaks reports whether the run starts a target or injects faults, so that it needs a journal and a
// watchdog.
func (s *session) breaks() bool {
	return s.plan.Stack != nil || len(s.plan.Conditions) > 0 || len(s.plan.Faults) > 0 && !s.o.NoChaos
}

// hideSetUp makes the secret variables of setup secrets for the whole run.
func (s *session) hideSetUp() {
	for _, slot := range s.env.Hidden {
		if v := s.vars[slot]; v.Set && secret.IsLong(string(v.Text)) {
			s.plan.Scenario.Secrets.Add(string(v.Text))
		}
	}
}

// traceHigh returns the high half of the trace ids of a load; zero means no traces.
func (s *session) traceHigh(name string) uint64 {
	if !s.plan.Scenario.Trace.Sends() {
		return 0
	}
	return max(1, s.env.Salt[0]^load.Hash(name))
}

// traceHighs returns the high halves of the trace ids of all loads.
func (s *session) traceHighs() (highs []uint64) {
	for i := range s.plan.Loads {
		highs = append(highs, s.traceHigh(s.plan.Loads[i].Name))
	}
	return highs
}

// receiveSpans begins to receive the spans of the target, if the scenario asks for them.
func (s *session) receiveSpans(ctx context.Context) error {
	t := &s.plan.Scenario.Trace
	at, to := t.ListenAddress(), t.ForwardTo()
	if at == "" {
		return nil
	}
	var reach connect.Check
	if to != nil {
		var err error
		if reach, err = s.plan.SendTo(); err == nil {
			err = reach.Reaches(ctx, targets.HostPort(to))
		}
		if err != nil {
			return scenarios.Usage(fmt.Errorf("trace: forward: %w", err))
		}
	}
	r, err := traces.Listen(at, s.traceHighs())
	if err != nil {
		return fmt.Errorf("trace: listen: %w; name a port that is free, or port 0", err)
	}
	if to != nil {
		r.Forward(to.String(), reach)
	}
	s.spans = r
	return nil
}

// tracing returns the variables by which the processes of a service find brunt: exporters of OpenTelemetry,
// and senders
// of the messages of deliveries.
func (s *session) tracing(service string) map[string]string {
	out := maps.Clone(s.hooks)
	if s.spans == nil {
		return out
	}
	if out == nil {
		out = map[string]string{}
	}
	out["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"], out["OTEL_SERVICE_NAME"] = "http://"+s.spans.Addr()+"/v1/traces", service
	return out
}

// prepare prepares the data that steps need: variables, tables and salt.
func (s *session) prepare() {
	s.env.Salt, s.env.Tables = [2]uint64{rand.Uint64(), rand.Uint64()}, s.plan.Scenario.Tables
	for _, t := range s.env.Tables {
		t.Start(s.plan.Scenario.Seed)
		t.Learn(s.plan.Scenario.Secrets)
	}
	s.env.Fill = func() { s.cancel(errUsedUp) }
	s.vars = make([]template.Value, len(s.plan.Scenario.Symbols.Vars()))
}
