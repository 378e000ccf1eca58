package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// An Injection is one fault that was done without load, as it went.
type Injection struct {
	Run          string            `json:"run"`
	Fault        string            `json:"fault"`
	Kind         string            `json:"kind"`
	Target       string            `json:"target,omitempty"`
	Units        []string          `json:"units"`
	Via          string            `json:"via,omitempty"`
	Started      time.Time         `json:"started"`
	Injected     result.Num        `json:"injected"` // seconds since it began, as are all times
	Verified     result.Num        `json:"verified"`
	Cleared      result.Num        `json:"cleared"`
	Evidence     string            `json:"evidence,omitempty"`
	Gone         bool              `json:"gone"`
	GoneEvidence string            `json:"gone_evidence,omitempty"`
	Revert       string            `json:"revert"`
	Traffic      int64             `json:"traffic,omitempty"` // that met it, where it can be counted
	TrafficUnit  string            `json:"traffic_unit,omitempty"`
	Verdict      scenarios.Verdict `json:"verdict"`
	Reason       string            `json:"reason"`
	ExitCode     int               `json:"exit_code"`
	Notes        []string          `json:"notes,omitempty"`
	Events       []result.Event    `json:"events"`
}

// Single gives the plan narrowed to one of its faults, done at once and for once: its
// place on the timeline is left out, and nobody asks whether the monitoring notices it:
// what is judged without load is the fault alone. Hold is how long it stays; zero is as long as the
// scenario says.
func (p *Plan) Single(name string, hold time.Duration) (*Plan, error) {
	var names []string
	for _, e := range p.Faults {
		names = append(names, e.Name)
		if e.Name != name {
			continue
		}
		one := *p
		entry := *e
		stays := e.Stays()
		if e.Pulse != nil {
			stays = min(stays, e.Pulse.On.D())
		}
		if hold > 0 {
			if e.OneShot() {
				return nil, fmt.Errorf("%s is over once it is done; it takes no --for", e.Kind)
			}
			stays = hold
		}
		if most := p.Scenario.Guard.MaxEach.D(); most > 0 && stays > most {
			return nil, fmt.Errorf("it would stay for %s, and at most %s are allowed (max_each)", brief(stays), brief(most))
		}
		now := quantity.Duration(0)
		entry.At, entry.After, entry.During, entry.Trigger, entry.Wait = &now, "", "", "", 0
		entry.Every, entry.Repeat, entry.Pulse, entry.For = 0, 0, nil, quantity.Duration(stays)
		one.Faults, one.Notes = []*chaos.Entry{&entry}, nil // those of the whole plan are about its load
		for _, policy := range p.policies {
			one.Notes = append(one.Notes, heldTo(policy))
		}
		if entry.Detect != nil {
			entry.Detect = nil
			one.Notes = append(one.Notes, "the monitoring is not asked whether it notices the fault: that is judged in a run")
		}
		if why := p.unjudged(); why != "" {
			return nil, errors.New(why)
		}
		return &one, nil
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("there is no fault %q: the scenario has none", name)
	}
	return nil, fmt.Errorf("there is no fault %q; %s", name, syntax.DidYouMean(name, names))
}

// unjudged tells why a policy does not let a fault be done without load: it requires
// what only load is judged by.
func (p *Plan) unjudged() string {
	for _, policy := range p.policies {
		for i, r := range policy.Require {
			if r == scenarios.RequireSteady || r == scenarios.RequireStop {
				return fmt.Sprintf("%s requires `%s`, and without load there is nothing to judge it by", policy.Item("require", i), r)
			}
		}
	}
	return ""
}

// A Bare is a fault that no scenario names: a kind with its settings.
type Bare struct {
	Kind     string
	Settings []string // key=value, those of its time among them
	Listen   string   // where a link of brunt's own listens, for a fault on links
	To       string   // and where it leads
	Allow    []string // what else it may lead to, as guard.allow.load
	Policies []*scenarios.Policy
}

// bareTiming are the keys of a fault's time that one without a timeline has.
var bareTiming = []string{"for", "within"}

// CompileBare makes a plan of a fault alone. The error is a [syntax.MistakesError] with
// every mistake found.
func CompileBare(b Bare) (*Plan, error) {
	m := &syntax.Mistakes{}
	timing, settings := syntax.Arguments(b.Settings, m).Split(syntax.Keys(scenarios.Fault{}))
	timing, others := timing.Split(bareTiming)
	for _, o := range others.Fields {
		m.Add(o.Pos, "%q is of a timeline, and a fault alone comes at once, and once", o.Key)
	}
	at := syntax.Pos{File: b.Kind}
	sc := &scenarios.Scenario{
		Name: b.Kind, Secrets: &template.Secrets{}, Symbols: &template.Symbols{}, Seed: 1, SeedGiven: true,
		Guard: scenarios.Guard{OnNoUnit: "fail", Allow: scenarios.Allow{Load: b.Allow}},
	}
	c := &compiler{sc: sc, o: CompileOptions{Policies: b.Policies}, m: m, plan: &Plan{Scenario: sc, Scope: chaos.Scope{Services: map[string]int{}}}}
	c.plan.gate = newGate(loadsWay, sc.Guard, b.Policies, m)
	c.plan.calls = newGate(faultsWay, sc.Guard, b.Policies, m)
	c.plan.Scope.Host = c.plan.calls.by(nil)
	c.opened(b)
	f := scenarios.Fault{Name: b.Kind, Place: syntax.Place{At: at}}
	syntax.Decode(timing, &f, m)
	zero := quantity.Duration(0)
	f.At = &zero
	settings.Pos = at
	linked := false
	if mk := chaos.Kinds()[b.Kind]; mk != nil {
		_, linked = mk().(chaos.Linked)
		linked = linked && !ofContainers(settings)
	}
	if linked && settings.Get("from") == nil && settings.Get("to") == nil { // there is but one link
		settings.Fields = append(settings.Fields, syntax.Field{Key: "to", Pos: at, Value: &syntax.Node{Kind: syntax.String, Value: chaos.TargetName, Pos: at}})
	}
	f.Block = syntax.Block{Kind: b.Kind, Pos: at, With: settings}
	e := &chaos.Entry{Fault: f, Kind: b.Kind}
	if d, ok := syntax.Resolve(f.Block, chaos.Kinds(), m); ok {
		e.Damage = d
		switch {
		case linked && b.To == "":
			m.AddHint(at, "--listen 127.0.0.1:9001 --to 127.0.0.1:9000 has brunt open one; point the client to it", "%s is on a link, and there is none", b.Kind)
		case !linked && b.To != "":
			m.Add(syntax.Pos{File: "--to"}, "%s is on no link", b.Kind)
		default:
			d.Check(at, c.scopeOf(&f), m)
		}
	}
	c.plan.Faults = []*chaos.Entry{e}
	c.timing(e)
	c.reachEngine()
	c.policies()
	if why := c.plan.unjudged(); why != "" {
		m.Add(at, "%s", why)
	}
	return c.plan, m.Err()
}

// ofContainers tells whether the settings of a fault select containers, whose packets pass
// no link of brunt's.
func ofContainers(settings *syntax.Node) bool {
	for _, key := range []string{"container", "labels", "project", "in_network"} {
		if settings.Get(key) != nil {
			return true
		}
	}
	for _, key := range []string{"from", "to"} {
		if n := settings.Get(key); n != nil && strings.HasPrefix(n.Value, "container/") {
			return true
		}
	}
	return false
}

// opened reads the link that a fault alone is on.
func (c *compiler) opened(b Bare) {
	if b.Listen != "" {
		host, _, err := net.SplitHostPort(b.Listen)
		ip, perr := netip.ParseAddr(host)
		if err != nil || host != "localhost" && (perr != nil || !ip.IsLoopback()) {
			c.m.AddHint(syntax.Pos{File: "--listen"}, "such as 127.0.0.1:9001", "%q is no port of this machine's loopback", b.Listen)
		}
		if b.To == "" {
			c.m.Add(syntax.Pos{File: "--listen"}, "where the link leads is said by --to")
		}
	}
	if b.To == "" {
		return
	}
	if _, _, err := net.SplitHostPort(b.To); err != nil {
		c.m.AddHint(syntax.Pos{File: "--to"}, "such as 127.0.0.1:9000", "%q is no host:port", b.To)
		return
	}
	if err := c.plan.gate.host(&url.URL{Scheme: "http", Host: b.To}); err != nil {
		c.m.AddHint(syntax.Pos{File: "--to"}, "--allow names it", "%v", err)
	}
	c.plan.listen, c.plan.upstream, c.plan.Scope.External = b.Listen, b.To, b.To
	c.sc.Target.Place = syntax.Place{At: syntax.Pos{File: "--to"}}
	c.plan.Scope.Edges = []chaos.EdgeName{{From: chaos.LoadName, To: chaos.TargetName}}
}

// Inject does the one fault of the plan without load: it brings the target up, or finds
// it running, injects, verifies, holds, takes back, and finds it gone. The error is
// brunt's own failure.
func (p *Plan) Inject(ctx context.Context, o Options) (*Injection, error) {
	r := p.newRunner(o)
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	e := p.Faults[0]
	in := &Injection{
		Run: r.o.ID, Fault: e.Name, Kind: e.Kind, Units: []string{}, Started: r.began, Injected: result.NaN, Verified: result.NaN, Cleared: result.NaN,
		Revert: string(chaos.None), Verdict: scenarios.Pass, Reason: "It was in, and it is gone.",
	}
	if targetKind(&p.Scenario.Target) != "" {
		in.Target = p.targetName()
	}
	if err := r.protect(); err != nil {
		return nil, err
	}
	err := r.inject(ctx, in)
	left, cerr := r.closeJournal()
	err = errors.Join(err, cerr)
	if left != "" {
		in.worse(scenarios.NotReverted, left)
	}
	in.ExitCode = in.Verdict.ExitCode()
	if i, ok := errors.AsType[Interrupt](context.Cause(ctx)); ok && in.Verdict == scenarios.Interrupted {
		in.ExitCode = i.Code
	}
	in.Notes, in.Events = slices.Concat(p.Notes, r.notes), r.onClock()
	return in, err
}

func (in *Injection) worse(to scenarios.Verdict, reason string) {
	worsen(&in.Verdict, &in.Reason, to, reason)
}

// inject brings the target up, plays the fault and takes the target down.
func (r *runner) inject(ctx context.Context, in *Injection) (err error) {
	r.env = &template.Env{Units: map[string]string{}, Now: r.now}
	r.vars = make([]template.Value, len(r.Scenario.Symbols.Vars()))
	r.sys = &system{r: r}
	mask := r.Scenario.Secrets.Mask
	defer func() {
		if derr := r.sys.takeDown(ctx); derr != nil {
			err = errors.Join(err, fmt.Errorf("taking the target down: %w", derr))
		}
	}()
	if err := r.tried(); err != nil {
		in.worse(scenarios.Invalid, mask(err.Error()))
		return nil
	}
	if err := r.sys.bringUp(ctx); err != nil {
		if errors.As(err, new(Interrupt)) {
			in.worse(scenarios.Interrupted, "interrupted before anything was injected")
		} else {
			in.worse(scenarios.Invalid, mask(err.Error()))
		}
		return nil
	}
	if err := r.helpers(ctx); err != nil {
		in.worse(scenarios.Invalid, mask(err.Error()))
		return nil
	}
	r.event(result.Event{Event: "target.up", Text: r.sys.says()})
	timeline := &chaos.Timeline{
		Entries: r.Faults, Journal: r.journal, Seed: r.Scenario.Seed, MaxEach: r.Scenario.Guard.MaxEach.D(), Alone: true,
		SkipNone: r.Scenario.Guard.OnNoUnit == "skip", End: math.MaxInt64, Ask: r.askable(),
		Env:    r.world(),
		Inject: func(string, string) (int, time.Duration) { return 0, r.now() },
		Clear:  func(int) time.Duration { return r.now() },
		Void:   func(int) {},
		Event:  r.event,
	}
	r.timeline.Store(timeline)
	r.sys.watch()
	faults, over := context.WithCancel(ctx)
	defer over()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.records = timeline.Play(faults)
	}()
	select {
	case <-r.o.Suspend:
		over()
		<-done
		r.cancel(ErrSuspend)
		r.o.Stop()
	case <-done:
	}
	r.stillDown()
	for _, rec := range r.records {
		in.take(rec, mask)
	}
	switch cause := context.Cause(ctx); {
	case errors.As(cause, new(Interrupt)):
		in.worse(scenarios.Interrupted, "interrupted; what was in is taken back")
	case errors.Is(cause, ErrSuspend):
		in.worse(scenarios.Invalid, cause.Error())
	}
	return nil
}

// take takes in what became of the fault.
func (in *Injection) take(c *chaos.Record, mask func(string) string) {
	if c.Units != nil {
		in.Units = c.Units
	}
	in.Via, in.Revert, in.Gone = c.Via, string(c.Revert), c.Gone
	if c.Revert == "" {
		in.Revert = string(chaos.None)
	}
	in.Evidence, in.GoneEvidence = mask(c.Evidence), mask(c.GoneText)
	if c.N >= 0 {
		in.Injected, in.Cleared = result.Sec(c.Injected), result.Sec(c.Cleared)
		if c.VerifyErr == nil {
			in.Verified = result.Sec(c.Verified)
		}
	}
	if c.Traffic != nil {
		in.Traffic, in.TrafficUnit = c.Traffic.N, c.Traffic.Unit
	}
	switch {
	case c.Skipped:
		in.worse(scenarios.Inconclusive, "it was skipped, as guard.on_no_unit says: "+mask(c.InjectErr.Error()))
	case c.OneShot:
		in.Reason = scenarios.Sentence("it was done: " + in.GoneEvidence)
	}
	judgeRecord(c, "", func(to scenarios.Verdict, reason string) { in.worse(to, mask(reason)) })
}

// says tells where the target can be met, and where the links lead that stand before it.
func (s *system) says() string {
	var out []string
	if s.stack != nil {
		out = append(out, fmt.Sprintf("%d units run", len(s.stack.units())))
	}
	if s.entry != "" {
		out = append(out, "the target is at "+s.entry)
	}
	for _, l := range s.links {
		if l.From == chaos.LoadName {
			out = append(out, "the link to it listens on "+l.Proxy.Addr())
		}
	}
	if len(out) == 0 {
		return "nothing is to be started"
	}
	return strings.Join(out, ", ")
}

// FaultKinds lists the kinds of fault.
func FaultKinds() []string { return slices.Sorted(maps.Keys(chaos.Kinds())) }
