package plan

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/probe"
	"brunt/chaos/selector"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/targets/platform"
)

// faultCompiler compiles the timeline of faults.
type faultCompiler struct {
	plan          *Plan
	m             *syntax.Mistakes
	steps         *stepCompiler
	targetUnknown bool     // see [compiler]
	unshaped      []string // see [compiler]

	skipped []string // faults that will match no unit, if the guard allows that
	asked   []string // services whose question in `leaders` a fault asks
	// of entries whose settings have mistakes, a copy for the checks that the kind alone decides
	kinds map[*timeline.Entry]*timeline.Entry
}

// Stages returns the stages of all loads, each named LOAD.STAGE.
func Stages(loads []Load) (out []load.Stage) {
	for i := range loads {
		for _, s := range loads[i].Schedule.Stages {
			s.Name = loads[i].Name + "." + s.Name
			out = append(out, s)
		}
	}
	return out
}

// stageName is the name of a stage.
func stageName(s load.Stage) string { return s.Name }

// compile resolves the timeline: kinds, selectors, and when each fault is due.
func (c *faultCompiler) compile() {
	stages := Stages(c.plan.Loads)
	for i := range c.plan.Scenario.Faults {
		f := &c.plan.Scenario.Faults[i]
		e := &timeline.Entry{Fault: *f, Kind: f.Block.Kind, Seed: c.plan.Scenario.Seed ^ uint64(i+1)<<32}
		if f.During != "" {
			if i := slices.IndexFunc(stages, func(s load.Stage) bool { return s.Name == f.During }); i >= 0 {
				e.From, e.To = stages[i].From, stages[i].To
			} else if !stageOf(f.During, c.unshaped) {
				c.m.AddHint(f.Of("during"), syntax.DidYouMean(f.During, namesOf(stages, stageName)),
					"there is no stage %q; a stage is LOAD.STAGE", f.During)
			}
		}
		if f.Has("steps") {
			c.group(e)
		} else {
			c.damage(e)
		}
		e.Detect = c.detect(f)
		c.plan.Faults = append(c.plan.Faults, e)
		checkTiming(c.plan, c.m, e)
		if of := c.kinds[e]; of != nil {
			checkTimes(c.plan, c.m, of)
		}
	}
	c.conditions()
	c.leaders()
	checkPodFaults(&c.plan.Scope, slices.Concat(c.plan.Conditions, c.plan.Faults), c.m)
	checkOrder(c.plan, c.m)
	checkTriggers(c.plan, c.m)
}

// conditions resolves the faults that hold for the whole run.
func (c *faultCompiler) conditions() {
	begin, run := quantity.Duration(0), c.plan.Takes()
	for _, f := range c.plan.Scenario.Conditions {
		if f.At == nil {
			f.At = &begin
		}
		f.For = quantity.Duration(run)
		e := &timeline.Entry{Fault: f, Kind: f.Block.Kind}
		c.damage(e)
		c.plan.Conditions = append(c.plan.Conditions, e)
		of := cmp.Or(c.kinds[e], e)
		if of.Damage == nil {
			continue
		}
		if of.OneShot() {
			c.m.AddHint(f.Block.Pos, "a fault with a time stands under `chaos`",
				"%s is over once it is done, and a condition holds for the whole run", e.Kind)
		}
		if most := c.plan.Scenario.Guard.MaxEach.D(); most > 0 && run > most {
			c.m.Add(f.Block.Pos, "it holds for the whole run of %s, and guard.max_each is %s", quantity.Brief(run),
				quantity.FormatDuration(most))
		}
		checkUnits(c.plan, c.m, e)
	}
}

// damage resolves the kind of a fault, and checks its settings.
func (c *faultCompiler) damage(e *timeline.Entry) {
	f := &e.Fault
	if f.Block.With == nil && f.Block.Kind == "" {
		return
	}
	d, ok := syntax.Resolve(c.withLeader(f.Block), catalog.Kinds(), c.m)
	if !ok && d != nil {
		c.selection(e)
	}
	if ok {
		e.Damage = d
		c.steps.questions(d)
		if traits := d.Traits(chaos.Scope{}); !c.targetUnknown {
			for _, s := range traits.Acts {
				noteMissingURL(c.plan, c.m, c.plan.Asked[s.Steps]...)
			}
			for _, step := range traits.Steps {
				noteMissingURL(c.plan, c.m, c.plan.Asked[step]...)
			}
		}
		if !c.targetUnknown && !unmadeOnPods(&c.plan.Scope, f.Block) {
			d.Check(f.Block.Pos, c.scopeOf(f), c.m)
		}
		if !c.targetUnknown {
			checkFollow(&c.plan.Scope, e, c.m)
		}
	}
}

// A kindOnly is a fault whose settings have mistakes. Of its traits only those that follow from its kind are known.
type kindOnly struct{ chaos.Fault }

// Traits implements [chaos.Fault].
func (k kindOnly) Traits(chaos.Scope) chaos.Traits {
	return chaos.Traits{OneShot: k.Fault.Traits(chaos.Scope{}).OneShot}
}

// selection checks an entry whose settings have mistakes, as far as these can't be their cause: the services, units and
// zones that it names, and the number of units. The other settings could be blamed for one that is missing or wrong.
func (c *faultCompiler) selection(e *timeline.Entry) {
	selecting := slices.Concat(syntax.Keys(selector.Selector{}), syntax.Keys(selector.Edge{}))
	b := c.withLeader(e.Block)
	all := b.With
	if all == nil || all.Kind != syntax.Map {
		return
	}
	b.With = all.Without(func(key string) bool { return !slices.Contains(selecting, key) })
	own := &syntax.Mistakes{Partial: true}
	d, ok := syntax.Resolve(b, catalog.Kinds(), own)
	if d == nil {
		return
	}
	known := syntax.Keys(d)
	if !slices.ContainsFunc(known, func(key string) bool { return key == "revert" || key == "undo" || key == "hold" }) {
		of := *e // else it depends on the settings whether the fault is over at once
		of.Damage = kindOnly{d}
		c.kinds[e] = &of
	}
	if !ok || c.targetUnknown || unmadeOnPods(&c.plan.Scope, b) || slices.ContainsFunc(all.Fields,
		func(f syntax.Field) bool {
			return !slices.Contains(known, f.Key) && slices.Contains(selecting, syntax.Nearest(f.Key, known))
		}) {
		return
	}
	d.Check(b.Pos, c.scopeOf(&e.Fault), own)
	of := *e
	of.Damage = d
	checkUnits(c.plan, c.m, &of)
	if refused, found := errors.AsType[*syntax.MistakesError](own.Err()); found {
		for _, one := range refused.List() {
			if slices.ContainsFunc(b.With.Fields, func(f syntax.Field) bool {
				return f.Pos == one.Pos && slices.Contains([]string{"service", "unit", "zone", "from", "to"}, f.Key)
			}) {
				c.m.AddHint(one.Pos, one.Hint, "%s", one.What)
			}
		}
	}
}

// timed returns the faults of the plan, as far as their times are known: see kinds.
func (c *faultCompiler) timed() (out []*timeline.Entry) {
	for _, e := range c.plan.Faults {
		out = append(out, cmp.Or(c.kinds[e], e))
	}
	return out
}

// scopeOf describes the target for the check of a fault. If a fault on a process names a service although brunt
// starts none, the mistake has a hint on what to name. Its other settings are checked as if there were such a
// service.
func (c *faultCompiler) scopeOf(f *scenarios.Fault) chaos.Scope {
	scope, b := c.plan.Scope, f.Block
	if c.plan.Scenario.Guard.OnNoUnit == "skip" {
		scope.Void = func(why string) {
			whole, _ := scenarios.GroupOf(f.Name) // if one of its steps is skipped, the whole group is
			c.skipped = append(c.skipped, whole)
			c.plan.Notes = append(c.plan.Notes, fmt.Sprintf("%s will be skipped, as guard.on_no_unit says: %s", f.Name, why))
		}
	}
	if c.plan.Stack != nil || !strings.HasPrefix(b.Kind, "process.") || b.With == nil {
		return scope
	}
	if b.With.Get("project") != nil || len(c.plan.Containers) > 0 || scope.Cluster != nil {
		return scope // running containers, or pods
	}
	for _, key := range []string{"service", "unit"} {
		n := b.With.Get(key)
		if n == nil || n.Kind != syntax.String {
			continue
		}
		why := "the target is a url, so brunt starts no services"
		if c.plan.Scenario.Target.Kind() == "" {
			why = "no scenario says what there is"
		}
		c.m.AddHint(n.Pos,
			"let brunt start the services (target: processes or stack), or name a process of this machine by `pid`",
			"%s on a %s, and %s", b.Kind, key, why)
		name, _, _ := strings.Cut(n.Value, "[")
		scope.Services = map[string]int{name: math.MaxInt32}
	}
	return scope
}

// detect resolves how the team's own monitoring is asked whether it has detected a fault.
func (c *faultCompiler) detect(f *scenarios.Fault) chaos.Monitoring {
	if f.Detect == nil {
		return nil
	}
	d := new(probe.Detect)
	if decoded(f.Detect, d, c.m) {
		d.Check(c.plan.questions(), c.m)
	}
	c.steps.asked(d.Ask)
	if !c.targetUnknown {
		noteMissingURL(c.plan, c.m, c.plan.Asked[d.Ask]...)
	}
	return d
}

// keptUp names the fault whose effect lasts, for one that is over at once; empty if there is none.
func keptUp(kind string) string {
	switch kind {
	case "process.crash":
		return "process.stop with `grace: 0s` kills the unit and keeps it down"
	case "container.kill":
		return "container.stop with `grace: 0s` kills the container and keeps it down"
	}
	return ""
}

// checkTiming checks an entry's time settings against its kind and its units.
func checkTiming(p *Plan, m *syntax.Mistakes, e *timeline.Entry) {
	if e.Damage == nil {
		return
	}
	checkTimes(p, m, e)
	checkUnits(p, m, e)
	p.startsLate(m, e)
	p.noteGrace(e)
	if _, group := e.Damage.(*timeline.Group); !group && !e.Has("within") && e.OneShot() {
		// The load may recover without the unit, so a tight objective does not limit the unit.
		for _, o := range p.Scenario.SLO {
			if recovers(o.Metric) && o.OfWorst() && o.After.Fault == e.Name && o.Upper() {
				e.Within = quantity.Duration(max(e.WithinOr(), result.Num(o.Value).D()))
			}
		}
	}
}

// checkTimes checks an entry's time settings against its kind, and against the limit of the scenario's guard.
func checkTimes(p *Plan, m *syntax.Mistakes, e *timeline.Entry) {
	if e.Damage == nil {
		return
	}
	f := &e.Fault
	if most, stays := p.Scenario.Guard.MaxEach.D(), e.MustStay(); most > 0 && stays > most {
		m.Add(e.Of("for"), "it stays for %s, and guard.max_each is %s", quantity.Duration(stays),
			quantity.FormatDuration(most))
	}
	if _, group := e.Damage.(*timeline.Group); group {
		return
	}
	if e.OneShot() {
		if f.Has("for") {
			m.AddHint(f.Of("for"), keptUp(e.Kind),
				"%s is over once it is done; it takes no `for`. `within` says by when its unit is healthy again", e.Kind)
		}
		if f.Has("pulse") {
			m.Add(f.Of("pulse"), "%s is over once it is done; repeat it with `every` and `repeat`", e.Kind)
		}
	} else {
		if !f.Has("for") && f.During == "" {
			m.AddHint(f.Place.At, "such as for: 10s", "fault %q does not say how long it stays", f.Name)
		}
		if f.Has("within") {
			m.Add(f.Of("within"), "`within` is for faults that are over at once; %s stays for `for`", e.Kind)
		}
	}
}

// startsLate compares the time limit of a one-shot with the time that the scenario itself gives its units: to start
// again, `restart_delay`, and to be ready then, `ready: {within}`. The default limit is at least both together where
// one of them is long, and a note names a long delay. A limit of the scenario's own that is shorter than the delay is a
// mistake, because no such unit can be healthy in time.
func (p *Plan) startsLate(m *syntax.Mistakes, e *timeline.Entry) {
	if p.Stack == nil {
		return
	}
	for _, part := range e.Parts() {
		if !part.OneShot() {
			continue
		}
		var late *platform.Service
		for _, unit := range part.Traits(p.Scope).Reaches {
			s := p.Stack.Service(chaos.ServiceOf(unit))
			if s == nil || s.Restart == "never" {
				continue
			}
			enough := quantity.Duration(s.Delay + max(scenarios.DefaultWithin, s.Ready.WithinOr()))
			if part.Has("within") {
				if s.Delay >= part.Within.D() {
					m.AddHint(part.Of("within"), "within: "+quantity.FormatDuration(enough.D()),
						"%s starts again %s after it ends (restart_delay), and has to be healthy again after %s", s.Name,
						quantity.FormatDuration(s.Delay), quantity.FormatDuration(part.Within.D()))
					return
				}
				continue
			}
			if delayed := s.Delay >= scenarios.DefaultWithin; delayed || s.Ready.WithinOr() > scenarios.DefaultWithin {
				part.Within = max(part.Within, enough)
				if delayed && late == nil {
					late = s
				}
			}
		}
		if late != nil {
			p.Notes = append(p.Notes, fmt.Sprintf("%s: %s starts again %s after it ends (restart_delay), so it has %s to be "+
				"healthy again (within).", part.Name, late.Name, quantity.FormatDuration(late.Delay),
				quantity.FormatDuration(part.Within.D())))
		}
	}
}

// noteGrace adds a note for each fault that may be over before a unit that is slow to end is down.
func (p *Plan) noteGrace(e *timeline.Entry) {
	for _, part := range e.Parts() {
		grace, stays := part.Traits(p.Scope).Grace, part.Stays()
		if part.Pulse != nil {
			stays = part.Pulse.On.D()
		}
		if stays > 0 && stays <= grace {
			p.Notes = append(p.Notes, fmt.Sprintf("%s: a unit that does not end by SIGTERM runs on for %s (grace), and the fault "+
				"stays for %s, so that such a unit is not down meanwhile. Give it a shorter `grace` or a longer `for`.", part.Name,
				quantity.FormatDuration(grace), quantity.FormatDuration(stays)))
		}
	}
}

// checkUnits compares the selection of a fault with the limit of the guard.
func checkUnits(p *Plan, m *syntax.Mistakes, e *timeline.Entry) {
	for _, part := range e.Parts() {
		if units, most := part.Traits(p.Scope).Units, p.Scenario.Guard.MaxUnits; most > 0 && units > most {
			m.Add(part.Block.Pos, "it hits %d units, and guard.max_units is %d", units, most)
		}
	}
}

// checkTriggers checks that each fault with a trigger can be triggered.
func checkTriggers(p *Plan, m *syntax.Mistakes) {
	for _, e := range p.Faults {
		if e.Trigger != "" && !p.scripted() {
			m.AddHint(e.Of("trigger"), "such as load: {users: {k6: script.js}}, whose script calls fault(\""+e.Name+
				"\") of k6/x/brunt",
				"no load is a script, so nothing triggers fault %q", e.Name)
		}
	}
}

// checkOrder checks that `after` names faults, and without a cycle.
func checkOrder(p *Plan, m *syntax.Mistakes) {
	byName := map[string]*timeline.Entry{}
	var names []string
	for _, e := range p.Faults {
		byName[e.Name] = e
		names = append(names, e.Name)
	}
	for _, e := range p.Faults {
		if e.After == "" {
			continue
		}
		if byName[e.After] == nil {
			if p.Scenario.Declares("chaos", e.After) {
				continue
			}
			m.AddHint(e.Of("after"), syntax.DidYouMean(e.After, names), "there is no fault %q", e.After)
			continue
		}
		path := []string{e.Name}
		for at := byName[e.After]; at != nil && len(path) <= len(names); at = byName[at.After] {
			path = append(path, at.Name)
			if at == e {
				m.Add(e.Of("after"), "the faults wait for each other: %s", strings.Join(path, " -> "))
				break
			}
			if at.After == "" {
				break
			}
		}
	}
}

// references checks that the units which flows name exist.
func (c *compiler) references() {
	for _, u := range c.sc.Symbols.Uses() {
		switch u.Ref.Kind {
		case syntax.RefLink, syntax.RefSelf:
			if !inProcesses(&c.sc.Target, u.Pos) && !ofUnit(c.sc.Root, u.Pos) {
				c.m.Add(u.Pos, "${%s} belongs into the settings of a process, into a question to a unit, or into the `path` of a "+
					"fault", u.Ref.Text)
			}
		case syntax.RefRequest:
			if !inSign(c.sc.Root, u.Pos) {
				c.m.Add(u.Pos, "${%s} belongs into a sign block: a signature is over it", u.Ref.Text)
			}
		case syntax.RefTrace:
			if link := c.sc.Root.Get("trace"); link == nil || !link.Holds(u.Pos) {
				c.m.AddHint(u.Pos, "a traceparent of your own is a header like any other", "${%s} belongs into the link of `trace`",
					u.Ref.Text)
			}
		case syntax.RefUnit:
			switch {
			case c.targetUnknown || inProcesses(&c.sc.Target, u.Pos):
			case c.plan.Stack == nil:
				c.m.Add(u.Pos, "${%s}: the target has no units; brunt starts none", u.Ref.Text)
			default:
				c.plan.Stack.CheckRef(u.Ref, u.Pos, c.m)
			}
		}
	}
}

// ofUnit reports whether a position lies in a question to a unit, or in a path of the unit that a fault hits: there
// placeholders may name the unit.
func ofUnit(root *syntax.Node, pos syntax.Pos) bool {
	if watch := root.Get("watch"); watch != nil && watch.Holds(pos) {
		return true
	}
	return holdsAt(root, pos, "chaos", "*", "*", "path") ||
		holdsAt(root, pos, "chaos", "*", "steps", "*", "*", "path") ||
		holdsAt(root, pos, "chaos", "*", "*", "leader") ||
		holdsAt(root, pos, "chaos", "*", "steps", "*", "*", "leader") || holdsAt(root, pos, "leaders") ||
		holdsAt(root, pos, "target", "ready") || holdsAt(root, pos, "target", "*", "*", "ready")
}

// inSign reports whether a position lies in a sign block: of the scenario, a load, a step, or a step of a question.
func inSign(root *syntax.Node, pos syntax.Pos) bool {
	for _, path := range signed {
		if holdsAt(root, pos, path...) {
			return true
		}
	}
	return asksSigned(root, pos)
}

// signed are the paths of sign blocks in a scenario, except those of questions.
var signed = [][]string{
	{"sign"},
	{"init", "*", "sign"},
	{"setup", "*", "sign"},
	{"teardown", "*", "sign"},
	{"ledger", "read", "sign"},
	{"load", "*", "sign"},
	{"load", "*", "request", "sign"},
	{"load", "*", "init", "*", "sign"},
	{"load", "*", "flow", "*", "sign"},
	{"load", "*", "mix", "*", "flow", "*", "sign"},
}

// asksSigned reports whether a position lies in the sign block of a question.
func asksSigned(n *syntax.Node, pos syntax.Pos) bool {
	for _, f := range n.Fields {
		if f.Key == "ask" && holdsAt(f.Value, pos, "sign") || f.Key != "ask" && asksSigned(f.Value, pos) {
			return true
		}
	}
	return slices.ContainsFunc(n.Items, func(item *syntax.Node) bool { return asksSigned(item, pos) })
}

// holdsAt reports whether a position lies below a path of keys, in which * stands for any key or any item of a list.
func holdsAt(n *syntax.Node, pos syntax.Pos, path ...string) bool {
	if len(path) == 0 {
		return n.Holds(pos)
	}
	for _, f := range n.Fields {
		if (path[0] == "*" || path[0] == f.Key) && holdsAt(f.Value, pos, path[1:]...) {
			return true
		}
	}
	return path[0] == "*" && slices.ContainsFunc(n.Items,
		func(item *syntax.Node) bool { return holdsAt(item, pos, path[1:]...) })
}

// inProcesses reports whether a position lies in the target's processes, whose placeholders are
// checked separately.
func inProcesses(t *scenarios.Target, pos syntax.Pos) bool {
	return t.Processes != nil && t.Processes.Holds(pos) || t.Containers != nil && t.Containers.Holds(pos)
}

// CountsCalls reports whether the run counts the calls on all links between services, because an objective is on those
// of one link, or because ReadLinks is set.
func (p *Plan) CountsCalls() bool {
	return p.ReadLinks || slices.ContainsFunc(p.Scenario.SLO, func(o slo.Objective) bool { return o.Metric.OfLink() })
}

// CountedContainers lists the links between containers of the run on which calls are counted: those that services
// declare, and those of objectives.
func (p *Plan) CountedContainers() (out []chaos.EdgeName) {
	if !p.Scope.Containers || !p.CountsCalls() {
		return nil
	}
	add := func(from, to string) {
		if e := (chaos.EdgeName{From: from, To: to}); from != to && !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	for _, e := range p.Stack.Edges() {
		add(e.From, e.To)
	}
	for _, o := range p.Scenario.SLO {
		if !o.Metric.OfLink() {
			continue
		}
		a, b := o.Metric.Link()
		for _, from := range p.Scope.UnitsOf(a) {
			for _, to := range p.Scope.UnitsOf(b) {
				add(from, to)
			}
		}
	}
	return out
}

// NeedsLink reports whether any fault affects the link between two units. http reports whether requests on it are read,
// for a fault or to count them.
func (p *Plan) NeedsLink(from, to string) (hit, http bool) {
	http = from != chaos.LoadName && p.CountsCalls()
	for _, e := range slices.Concat(p.Conditions, p.Faults) {
		if touches := e.Traits(p.Scope).Touches; touches != nil {
			h, web := touches(from, to, p.Scope.Zones)
			hit, http = hit || h, http || h && web
		}
	}
	return hit, http
}
