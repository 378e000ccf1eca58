package plan

import (
	"errors"
	"slices"
	"strings"
	"time"

	faultkinds "brunt/chaos/catalog"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/driver"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/plan/forecast"
	"brunt/scenarios/policies"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/catalog"
	"brunt/targets/dial"
)

// CompileOptions hold what a plan needs to know about brunt itself.
type CompileOptions struct {
	Self     []string                    // the command line of brunt, for stacks that are part of it
	Policies []*policies.Policy          // limits for the scenario; all of them apply
	Env      func(string) (string, bool) // environment with the proxy settings; nil is os.LookupEnv
	Drivers  []driver.Descriptor         // the available drivers; nil is driver.All
	// Protocols are the protocols that steps may use; nil is catalog.Protocols.
	Protocols []*targets.Descriptor
	// Unjudged says that the objectives will not be judged, so that objectives that no run can decide are not
	// mistakes.
	Unjudged bool
	// Workers is the number of workers that the command line gives instead of the scenario's; zero: it gives none.
	// Negative: the plan's loads are not split, whatever the scenario says.
	Workers int
	Push    *Push // the overload at the end of the loads; nil: no overload
}

// A Push is an overload at the end of the loads, which stands for the fault that an escape follows.
type Push struct {
	From time.Duration // when it begins, an offset from t0; the loads before it are the baseline
	Wait time.Duration // the least time after its end until the load is lowered below that of the baseline
}

// Compile resolves every kind that the scenario names, and makes all checks that have no side effects. The error is a
// [syntax.MistakesError] with every mistake found, including those of Parse.
func Compile(sc *scenarios.Scenario, o CompileOptions) (*Plan, error) {
	secrets := len(sc.SecretRefs)
	if o.Workers > 0 {
		sc.Workers.Count = o.Workers
	}
	c := newCompiler(&Plan{
		Scenario: sc, Shared: new(targets.Shared), Notes: slices.Clone(sc.Notes), Self: o.Self, Push: o.Push,
		Asked: map[*syntax.Node][]load.Step{},
	}, o, sc.Mistakes())
	c.plan.Protocols = catalog.New()
	if o.Protocols != nil {
		c.plan.Protocols = catalog.NewSet(o.Protocols...)
	}
	if c.m.Partial {
		c.settings()
		return c.plan, c.m.Err()
	}
	c.plan.LoadAllowlist = allow.New(allow.Load, sc, o.Policies, c.m).ReachedBy(sc.Loads)
	c.plan.ChaosAllowlist = allow.New(allow.Chaos, sc, o.Policies, c.m)
	c.proxies()
	before := c.m.Len()
	c.system()
	compileEndpoints(c.plan, c.m)
	declared(c)
	c.targetUnknown = c.m.Len() > before || sc.Target.Kind() == "" && c.plan.Scope.External == ""
	if c.readiness() {
		c.plan.Ready, _ = c.steps.compile(readySteps(&sc.Target), unmeasured, c.plan.SetupLoad())
	}
	once := c.plan.SetupLoad()
	once.Auth, once.Sign = sc.Auth, sc.Sign
	c.steps.proofs(once)
	c.plan.SetupParts, c.plan.Setup = c.steps.once(sc.Setup, once)
	for i := range sc.Loads {
		c.load(&sc.Loads[i])
	}
	c.plan.TeardownParts, c.plan.Teardown = c.steps.once(sc.Teardown, once)
	if !c.targetUnknown {
		checkOwnURL(c.plan, c.m)
	}
	checkListen(c.plan, c.m)
	ledgers := ledgerCompiler{plan: c.plan, m: c.m, steps: c.steps, targetUnknown: c.targetUnknown}
	ledgers.compile()
	compileConsistency(c.plan, c.steps, c.m)
	compileDeliveries(c.plan, c.steps, c.m)
	if !c.targetUnknown {
		for _, d := range c.plan.Deliveries {
			if d.Ask != nil {
				noteMissingURL(c.plan, c.m, slices.Concat(d.Ask.Steps, d.Ask.From)...)
			}
		}
	}
	observed := observeCompiler{plan: c.plan, m: c.m, steps: c.steps, targetUnknown: c.targetUnknown}
	observed.compile()
	checkVariables(c.plan, c.m)
	c.references()
	faults := faultCompiler{
		plan: c.plan, m: c.m, steps: c.steps, targetUnknown: c.targetUnknown, unshaped: c.unshaped,
		kinds: map[*timeline.Entry]*timeline.Entry{},
	}
	faults.compile()
	checkEscape(c.plan, c.m)
	if o.Workers >= 0 {
		checkWorkers(c.plan, c.m)
	}
	checkEngine(c.plan, c.m)
	checkImages(c.plan, c.m)
	c.policies()
	findUpstream(c.plan, c.m)
	for i := range sc.Loads {
		c.checkEntries(&sc.Loads[i])
	}
	checkUpstreams(c.plan, c.m)
	checkProxied(c.plan, c.m)
	if o.Workers >= 0 && !c.targetUnknown {
		checkPods(c.plan, c.m)
	}
	if secrets == 0 && len(sc.SecretRefs) > 0 && len(c.plan.lists(allow.Secrets)) > 0 {
		// a step reads a file from elsewhere, and the limits for secrets also apply to the parts compiled before
		return Compile(sc, o)
	}
	c.objectives(&observed)
	switch known := c.expects(&faults); {
	case c.scriptUnknown || o.Unjudged:
	case known:
		var notes []string
		notes, c.plan.Doubts = newForecast(c.plan, c.m, faults.timed(), faults.skipped).Check()
		c.plan.Notes = append(c.plan.Notes, notes...)
	case len(sc.SLO)+len(sc.Steady)+len(sc.Stop) > 0:
		c.m.Later = "Whether the load is enough to judge the objectives is checked once these are mended."
	}
	c.plan.Notes = slices.Concat(c.plan.Notes, stepNotes(c.sc), secretNotes(c.sc, c.plan.Parts()))
	for i := range c.plan.Notes { // some notes quote a script
		c.plan.Notes[i] = sc.Secrets.Mask(c.plan.Notes[i])
	}
	return c.plan, c.m.Err()
}

// A compiler compiles a scenario to a plan.
type compiler struct {
	sc    *scenarios.Scenario
	o     CompileOptions
	m     *syntax.Mistakes
	plan  *Plan
	steps *stepCompiler

	targetUnknown bool     // the target has mistakes, so names of its parts can't be checked
	scriptUnknown bool     // a script has mistakes, or could not be inspected
	unshaped      []string // loads whose executor has mistakes, so that their stages are not known
}

// settings checks the settings of executors and faults alone, in a scenario of which a part could not be read.
func (c *compiler) settings() {
	for i := range c.sc.Loads {
		syntax.Resolve(c.sc.Loads[i].Shape, load.Kinds(), c.m)
	}
	for _, f := range slices.Concat(c.sc.Conditions, c.sc.Faults) {
		syntax.Resolve(f.Block, faultkinds.Kinds(), c.m)
		for i := range f.Steps {
			syntax.Resolve(f.Steps[i].Block, faultkinds.Kinds(), c.m)
		}
	}
}

// newCompiler creates the compiler that completes a plan.
func newCompiler(p *Plan, o CompileOptions, m *syntax.Mistakes) *compiler {
	return &compiler{sc: p.Scenario, o: o, m: m, plan: p, steps: &stepCompiler{plan: p, m: m}}
}

// expects reports whether the load, the times of the faults and the objectives have no mistake, so that a forecast can
// compare them whatever else is wrong.
func (c *compiler) expects(faults *faultCompiler) bool {
	refused, wrong := errors.AsType[*syntax.MistakesError](c.m.Err())
	switch {
	case !wrong:
		return true
	case refused.More() > 0, c.targetUnknown,
		slices.ContainsFunc(faults.timed(), func(e *timeline.Entry) bool { return e.Damage == nil }):
		return false
	}
	return !slices.ContainsFunc(refused.List(), func(one syntax.Mistake) bool {
		return one.Pos.File != c.sc.File || inForecast(keysAt(c.sc.Root, one.Pos))
	})
}

// inForecast reports whether a forecast rests on the setting that keys lead to.
func inForecast(keys []string) bool {
	if len(keys) == 0 {
		return true
	}
	switch keys[0] {
	case "name", "hypothesis", "meta", "roles", "dependencies", "metrics", "alerts", "watch", "leaders", "trace",
		"conditions", "guard", "setup", "teardown":
		return false
	case "chaos": // the settings of a kind don't change when its fault comes and how long it stays
		kind := func(key string) bool { return key == "detect" || faultkinds.Kinds()[key] != nil }
		return !slices.ContainsFunc(keys[1:], kind)
	}
	return true
}

// keysAt returns the keys that lead from the top of a file to a position in it: of each map the last key that begins
// before it, and * for an item of a list.
func keysAt(n *syntax.Node, pos syntax.Pos) (keys []string) {
	for n != nil {
		fields := slices.Concat(n.Fields, n.Twice)
		for _, item := range n.Items {
			fields = append(fields, syntax.Field{Key: "*", Pos: item.Pos, Value: item})
		}
		var last syntax.Field
		for _, f := range fields {
			if f.Pos.File == pos.File && f.Pos.Compare(pos) <= 0 &&
				(last.Value == nil || last.Pos.Compare(f.Pos) <= 0) {
				last = f
			}
		}
		if n = last.Value; n != nil {
			keys = append(keys, last.Key)
		}
	}
	return keys
}

// newForecast returns the planned run that the objectives are compared with: the offered load and the times of
// faults. skipped lists the faults that will match no unit, if the guard allows that.
func newForecast(p *Plan, m *syntax.Mistakes, faults []*timeline.Entry, skipped []string) forecast.Plan {
	f := forecast.Plan{
		Scenario: p.Scenario, Mistakes: m, Once: slices.Concat(p.Setup, p.Teardown), Series: p.Series,
		Faults: faults, Skipped: skipped, Entry: p.entry(), Every: p.readEvery, Scope: p.Scope,
	}
	for i := range p.Loads {
		lp := &p.Loads[i]
		f.Loads = append(f.Loads, forecast.Load{
			Load: &lp.Load, Schedule: lp.Schedule, Flows: lp.Flows, Scripted: lp.Script != nil,
		})
	}
	return f
}

// load compiles one load.
func (c *compiler) load(l *scenarios.Load) {
	if l.Script != nil {
		c.script(l)
		return
	}
	dial.CheckConnections(l, c.m)
	checkHTTP3(l, c.plan.Scenario.Target.TLS, c.m)
	if ns, err := dial.ParseNameServer(l.Connections.DNS); err == nil {
		if err := c.plan.LoadAllowlist.CheckAddr(ns, ""); err != nil {
			c.m.Add(l.Connections.Of("dns"), "%v", err)
		}
	}
	index := len(c.plan.Series.Loads)
	lp := Load{Load: *l}
	executor, ok := syntax.Resolve(l.Shape, load.Kinds(), c.m)
	if ok {
		lp.Schedule = executor.Plan(load.Scope{Start: l.Start.D(), Open: c.sc.Open, Mistakes: c.m})
	} else {
		lp.Schedule = load.Plan{Rate: load.NewProfile(l.Start.D())}
		c.unshaped = append(c.unshaped, l.Name)
	}
	users := 0
	if lp.Schedule.Closed() {
		users = lp.InFlight()
	}
	attempt := time.Duration(0)
	if l.Retry != nil {
		attempt = l.Retry.Timeout.D()
	}
	c.plan.Series.Loads = append(c.plan.Series.Loads, measure.SeriesLoad{
		Name: l.Name, Closed: lp.Schedule.Closed(), Users: users, Timeout: l.Timeout.D(), Attempt: attempt,
		Grace: l.Grace.D(),
	})
	c.noteGrace(l)
	c.steps.proofs(l)
	c.steps.flow.Load = index
	defer func() { c.steps.flow.Load = unmeasured }()
	c.steps.init = true
	lp.Prelude, _ = c.steps.compile(l.Init, index, l) // first, because its steps may open what other steps use
	c.steps.init = false
	for _, mixed := range l.Mix {
		steps, whole := c.steps.compile(mixed.Flow, index, l)
		lp.Flows = append(lp.Flows, load.Flow{Weight: mixed.Weight, Steps: steps})
		if whole && !slices.ContainsFunc(steps, func(s load.Step) bool { return s.Call != nil }) && len(mixed.Flow) > 0 {
			c.m.Add(mixed.Flow[0].Pos, "load %q has a flow that makes no request", l.Name)
		}
	}
	c.targetsFile(&lp, index, l)
	c.replay(&lp, index, l)
	c.drive(&lp, l)
	if l.Retry != nil {
		l.Retry.Check(l.Timeout.D(), scenarios.CauseNames(), c.m)
	}
	checkPerUser(&lp, c.plan.Protocols, c.m)
	for _, s := range c.plan.Series.Steps {
		if s.Load == index {
			lp.Steps = append(lp.Steps, s.Name)
		}
	}
	c.plan.Loads = append(c.plan.Loads, lp)
	c.plan.Scope.FromLoad = append(c.plan.Scope.FromLoad, c.plan.Protocols.Carries(&l.Connections)...)
}

// checkPerUser refuses connections per user if a protocol of the load does not support them.
func checkPerUser(l *Load, of *targets.Set, m *syntax.Mistakes) {
	if l.Connections.Per != scenarios.PerUser {
		return
	}
	for _, call := range l.Calls() {
		if d := of.Of(call); !d.PerUser {
			m.Add(l.Connections.Of("per"), "the users of a load by %s share connections", d.Name)
			return
		}
	}
}

// checkVariables checks that every ${var.…} is extracted somewhere, and that every extracted name is
// valid.
func checkVariables(p *Plan, m *syntax.Mistakes) {
	set := map[string]bool{}
	var names []string
	collect := func(steps []scenarios.Step) {
		for _, s := range steps {
			if s.With == nil {
				continue
			}
			for _, f := range extracts(s.With) {
				if !syntax.IsVariable(f.Key) {
					m.Add(f.Pos, "%q can't name a variable: letters, digits, _ and -, beginning with a letter or _", f.Key)
				}
				if !set[f.Key] {
					set[f.Key] = true
					names = append(names, f.Key)
				}
			}
		}
	}
	collect(p.Scenario.Setup)
	for _, l := range p.Scenario.Loads {
		collect(l.Init)
		for _, m := range l.Mix {
			collect(m.Flow)
		}
	}
	collect(p.Scenario.Teardown)
	for _, d := range p.Scenario.Deliveries {
		collect(d.Seen.From)
		collect(d.Seen.Ask)
		set[scenarios.VarAfter] = set[scenarios.VarAfter] || d.Seen.After != ""
	}
	for _, u := range p.Scenario.Symbols.Uses() {
		if u.Ref.Kind == syntax.RefVar && !set[u.Ref.Name] {
			hint := syntax.DidYouMean(u.Ref.Name, names)
			switch {
			case u.Ref.Name == scenarios.VarAfter && slices.ContainsFunc(p.Scenario.Deliveries,
				func(d *scenarios.Delivery) bool { return len(d.Seen.Ask) > 0 }):
				hint = "`after` of `seen` says where it stands in an answer, such as after: \"$[*].seq\""
			case hint == "":
				hint = "a step gives it by extract: {" + u.Ref.Name + ": \"$.path\"}"
			}
			m.AddHint(u.Pos, hint, "${%s}: nothing extracts %q", u.Ref.Text, u.Ref.Name)
		}
	}
}

// extracts lists the extractions of a step, and of the steps that it contains, such as in a transaction.
func extracts(with *syntax.Node) (list []syntax.Field) {
	if e := with.Get("extract"); e != nil {
		list = append(list, e.Fields...)
	}
	for _, f := range with.Fields {
		if steps := f.Value.Get("steps"); steps != nil && strings.Contains(f.Key, ".") {
			for _, item := range steps.Items {
				if e := item.Get("extract"); e != nil {
					list = append(list, e.Fields...)
				}
			}
		}
	}
	return list
}

// objectives checks that the parts of the scenario that objectives name exist.
func (c *compiler) objectives(observed *observeCompiler) {
	faults := map[string]bool{}
	var faultNames, loadNames, stepNames []string
	for _, f := range c.sc.Faults {
		faults[f.Name] = true
		faultNames = append(faultNames, f.Name)
	}
	for _, l := range c.plan.Series.Loads {
		loadNames = append(loadNames, l.Name)
	}
	for _, s := range c.plan.Series.Steps {
		if s.Name != "" && !slices.Contains(stepNames, s.Name) {
			stepNames = append(stepNames, s.Name)
		}
	}
	stepNames = append(stepNames, "iteration")
	phases := append([]string{slo.RunPhase.String(), slo.BaselinePhase.String()}, faultNames...)
	for _, kind := range []slo.PhaseKind{slo.RecoveryPhase, slo.RestPhase} {
		for _, name := range faultNames {
			phases = append(phases, slo.Phase{Kind: kind, Fault: name}.String())
		}
	}
	for _, list := range [][]slo.Objective{c.sc.SLO, c.sc.Steady, c.sc.Stop} {
		for _, o := range list {
			for _, step := range []string{o.Step, o.Reference.Step} {
				if step != "" && !c.steps.unknown && !ofScript(c.plan, o) && !slices.Contains(stepNames, step) &&
					!c.unread("load") {
					c.m.AddHint(o.Pos, syntax.DidYouMean(step, stepNames), "there is no step %q", step)
				}
			}
			for _, load := range []string{o.Load, o.Reference.Load} {
				if load != "" && !slices.Contains(loadNames, load) && !c.sc.Declares("load", load) {
					c.m.AddHint(o.Pos, syntax.DidYouMean(load, loadNames), "there is no load %q", load)
				}
			}
			if o.After.Kind == slo.IncidentPhase {
				askedOfIncident(c.m, o)
			} else if group, ofStep := scenarios.GroupOf(o.After.Fault); ofStep && faults[group] {
				c.m.Add(o.Pos, "%s is a step of group %q, which is judged as one: `%s`", o.After, group,
					strings.ReplaceAll(o.Text, o.After.String(), group))
			} else if o.After != (slo.Phase{}) && !faults[o.After.Fault] && !c.sc.Declares("chaos", o.After.Fault) &&
				!stageOf(o.After.String(), c.unshaped) {
				checkAfterStage(c.plan, c.m, o, faultNames)
			}
			if o.Metric.Row().NeedsWant && !wants(c.plan, o) {
				c.m.AddHint(o.Pos, "such as want: {\"$.author.name\": exists}", "no step that `%s` is about has `want`", o.Text)
			}
			checkDetectable(c.plan, c.m, o)
			observed.checkObservable(o)
			for _, phase := range []slo.Phase{o.Phase, o.Reference.Phase} {
				if phase != (slo.Phase{}) && !phase.OfRun() && !faults[phase.Fault] && !c.sc.Declares("chaos", phase.Fault) {
					of := phase
					of.Occurrence = 0
					c.m.AddHint(o.Pos, syntax.DidYouMean(of.String(), phases), "there is no phase %q", phase)
				}
			}
		}
	}
}

// unread reports whether a section has entries that were not read because of their mistakes.
func (c *compiler) unread(section string) bool {
	n := c.sc.Root.Get(section)
	return c.sc.Declares(section, "") ||
		n != nil && slices.ContainsFunc(n.Fields, func(f syntax.Field) bool { return f.Value.Kind != syntax.Map })
}

// stageOf reports whether a name, LOAD.STAGE, begins with one of the loads.
func stageOf(stage string, loads []string) bool {
	of, _, _ := strings.Cut(stage, ".")
	return slices.Contains(loads, of)
}

// checkAfterStage checks an objective that does not count from a fault, but from the begin of a stage.
func checkAfterStage(p *Plan, m *syntax.Mistakes, o slo.Objective, faults []string) {
	stages := namesOf(Stages(p.Loads), stageName)
	switch {
	case !slices.Contains(stages, o.After.String()) && o.Metric.Reaches():
		m.AddHint(o.Pos, syntax.DidYouMean(o.After.String(), append(faults, stages...)),
			"there is no fault and no stage %q; a stage is LOAD.STAGE", o.After)
	case !slices.Contains(stages, o.After.String()):
		m.AddHint(o.Pos, syntax.DidYouMean(o.After.Fault, faults), "there is no fault %q", o.After)
	case !o.Metric.Reaches():
		m.AddHint(o.Pos, "such as reach(metric(replicas) >= 4) < 60s after "+o.After.String(),
			"`%s`: %s is a stage of a load, and only reach(…) and scaled(…) are measured from one", o.Text, o.After)
	}
}

// wants reports whether a step that an objective is about says what a complete answer contains.
func wants(p *Plan, o slo.Objective) bool {
	for i := range p.Loads {
		lp := &p.Loads[i]
		if o.Load != "" && o.Load != lp.Name {
			continue
		}
		for _, call := range lp.Calls() {
			if call.Traits().Wants && (o.Step == "" || o.Step == "iteration" || o.Step == call.Name()) {
				return true
			}
		}
	}
	return false
}

// askedOfIncident refuses metrics that the worst incident does not have.
func askedOfIncident(mistakes *syntax.Mistakes, o slo.Objective) {
	if m := o.Metric; !recovers(m) || !o.OfWorst() || m.Span > 0 || o.Step != "" || o.Load != "" {
		mistakes.AddHint(o.Pos, "`recover < 10s after incident`",
			"`%s` can't be asked of an incident: it is one of the whole load, and "+
				"has a recovery time alone", m.Text)
	}
}

// recovers reports whether a metric is the time from an injection to recovery.
func recovers(m slo.Metric) bool { return m.Row().Recovers && !m.Row().Healing }

// ofScript reports whether an objective may be about a step of a script. The names of such steps are known only when
// the script runs.
func ofScript(p *Plan, o slo.Objective) bool {
	return slices.ContainsFunc(p.Loads,
		func(lp Load) bool { return lp.Script != nil && (o.Load == "" || o.Load == lp.Name) })
}
