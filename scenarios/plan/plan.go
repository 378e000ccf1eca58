package plan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/container"
	"brunt/chaos/netns"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/consistency"
	"brunt/scenarios/delivery"
	"brunt/scenarios/driver"
	"brunt/scenarios/ledger"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/observe"
	"brunt/scenarios/plan/forecast"
	"brunt/scenarios/policies"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/platform"
)

// TargetName describes the target in one word.
func (p *Plan) TargetName() string {
	t := p.Scenario.Target
	switch t.Kind() {
	case "stack":
		return "stack " + t.Stack
	case "processes", "containers":
		return t.Kind()
	case "compose":
		return "compose " + t.Compose.File
	}
	text := t.URL.Text()
	if t.OnlyEndpoints() {
		var all []string
		for _, name := range slices.Sorted(maps.Keys(t.Endpoints)) {
			e := t.Endpoints[name]
			all = append(all, e.Text())
		}
		text = strings.Join(all, ", ")
	}
	return p.Scenario.Secrets.Mask(text)
}

// TryFault checks whether this machine can inject a fault at all.
func (p *Plan) TryFault(e *timeline.Entry, capabilities func() []netns.Capability) error {
	try := e.Traits(p.Scope).Try
	if try == nil {
		return nil
	}
	return try(capabilities)
}

// TryFaults refuses a plan with a fault that this machine can't inject, before anything starts. A control run has
// only the conditions.
func (p *Plan) TryFaults(control bool) error {
	var errs []error
	capabilities := sync.OnceValue(netns.Capabilities)
	parts := p.Parts()
	if control {
		parts = p.Conditions
	}
	for _, e := range parts {
		if err := p.TryFault(e, capabilities); err != nil {
			errs = append(errs, fmt.Errorf("fault %s: %w", e.Name, err))
		}
	}
	return errors.Join(errs...)
}

// NeedsAgent reports whether a fault acts inside a container, where it may need an agent.
func (p *Plan) NeedsAgent(e *timeline.Entry) bool {
	d, _ := catalog.Find(e.Kind)
	if ByPodAgent(&p.Scope, e.Block) { // the agents of its nodes make it
		return false
	}
	return e.Traits(p.Scope).InNetwork || p.Contained && d.ByAgent()
}

// Share makes the plan's loads begin only a fraction of their iterations, evenly in time. It is for two sides that
// are loaded at the same time.
func (p *Plan) Share(part float64) error {
	for i := range p.Loads {
		l := &p.Loads[i]
		if l.Schedule.Closed() {
			return fmt.Errorf("load %q is closed: its users can't be halved; executors with arrivals can", l.Name)
		}
		l.Schedule.Rate = l.Schedule.Rate.Scaled(part)
	}
	return nil
}

// Causes returns the names of the causes of the plan's requests.
func (p *Plan) Causes() scenarios.Causes {
	return scenarios.Causes{Checks: p.Checks, Families: p.Protocols.Causes()}
}

// StepNames returns the names of the steps of each load, by load. The steps of a script are known only when it runs.
func (p *Plan) StepNames() map[string][]string {
	names := map[string][]string{}
	for _, s := range p.Series.Steps {
		if s.Name != "" {
			load := p.Series.Loads[s.Load].Name
			names[load] = append(names[load], s.Name)
		}
	}
	return names
}

// FaultKinds returns the kinds of the plan's faults by their names.
func (p *Plan) FaultKinds() map[string]string {
	kinds := map[string]string{}
	for _, e := range p.Faults {
		kinds[e.Name] = e.Kind
	}
	return kinds
}

// Objectives lists the objectives of a run. With noChaos it leaves out objectives on faults.
func (p *Plan) Objectives(noChaos bool) []slo.Objective {
	if !noChaos {
		return p.Scenario.SLO
	}
	return slices.DeleteFunc(slices.Clone(p.Scenario.SLO), func(o slo.Objective) bool {
		return !o.PhaseOrRun().OfRun() || o.Reference.Phase != (slo.Phase{}) && !o.Reference.Phase.OfRun()
	})
}

// A Plan is a scenario with everything resolved. It is ready to run, and nothing has been started for it.
type Plan struct {
	Scenario   *scenarios.Scenario
	Loads      []Load
	Setup      []load.Step // the requests of SetupParts
	Teardown   []load.Step // the requests of TeardownParts
	Series     measure.Series
	Checks     []string // names of checks and extractions, by their number in causes
	Faults     []*timeline.Entry
	Conditions []*timeline.Entry // faults that hold for the whole run
	Scope      chaos.Scope       // parts of the target
	Stack      *platform.Spec    // nil if the target already runs
	Ledgers    []*ledger.Spec    // in the order of the scenario
	// registers whose reads and writes are checked, in the order of the scenario
	Consistency []*consistency.Spec
	Deliveries  []*delivery.Spec              // in the order of the scenario
	Containers  map[string]*container.Service // running containers, by the names that the target gives them
	Gauges      []observe.Metric              // metrics of the target
	Alerts      []observe.Alert               // alerts of the team's own monitoring
	Watches     []observe.Watch               // questions to the units
	ReadLinks   bool                          // the calls on all links between processes are counted, see CountsCalls
	Push        *Push                         // an overload, which an escape follows; nil: there is none
	Smoke       bool                          // a smoke run, in which faults need not meet traffic
	Notes       []string                      // hints for the author, and the smallest outage that the load can show
	Doubts      []forecast.Doubt              // why the run may leave an objective open; each has a note

	Contained     bool        // the plan needs a Docker engine
	Self          []string    // the command line of brunt, for stacks that are part of it
	Listen        string      // host:port of the link to the target; empty means a free port
	Upstream      string      // host:port of a target that already runs, as the loads reach it
	SetupParts    []OncePart  // requests and commands before the load
	TeardownParts []OncePart  // requests and commands after the load
	Ready         []load.Step // checks whether a target that already runs is ready
	Readiness     []Readiness // questions whether a service, or a target that already runs, is ready
	// steps that ask a unit or the target, and steps with which faults act, by their settings
	Asked          map[*syntax.Node][]load.Step
	Protocols      *targets.Set
	Shared         *targets.Shared             // state shared by the steps
	LoadAllowlist  *allow.List                 // addresses that the load may reach
	ChaosAllowlist *allow.List                 // addresses that calls of faults may reach
	Policies       []*policies.Policy          // policies in force
	Environ        func(string) (string, bool) // environment with the proxy settings
}

// Load is a load with its executor and its calls.
type Load struct {
	scenarios.Load
	Schedule load.Plan
	Flows    []load.Flow
	InTurn   bool              // iterations use the flows in turn, as for a targets file
	Prelude  []load.Step       // steps that run once per virtual user
	Steps    []string          // names of its steps, by number
	Script   *Script           // a k6 script instead of flows; nil for other loads
	Driver   driver.Descriptor // makes its requests
}

// Calls returns the calls of the load's flows and of its init.
func (lp *Load) Calls() []scenarios.Call {
	out := load.Calls(lp.Prelude)
	for _, f := range lp.Flows {
		out = append(out, load.Calls(f.Steps)...)
	}
	return out
}

// Bind binds the calls of all loads and of the ledger at the target. reach returns the options with which a load
// reaches the target. The errors name the load and the step.
func (p *Plan) Bind(ctx context.Context, reach func(*scenarios.Load) targets.Options) error {
	for i := range p.Loads {
		lp := &p.Loads[i]
		if err := p.Protocols.Select(lp.Calls()...).BindOnce(ctx, reach(&lp.Load)); err != nil {
			return fmt.Errorf("load %q: %w", lp.Name, err)
		}
	}
	for _, l := range p.Ledgers {
		if l.Query.Call == nil {
			continue
		}
		if err := p.Protocols.Select(l.Calls()...).BindOnce(ctx, reach(p.SetupLoad())); err != nil {
			return fmt.Errorf("%s: %w", l.Called(), err)
		}
	}
	return nil
}

// Repeatable returns a [scenarios.UsageError] if a fault ends a process that is named by its number: nothing starts
// that process again.
func (p *Plan) Repeatable() error {
	for _, e := range p.Faults {
		for _, part := range e.Parts() {
			with := part.Block.With
			if ends := with.Get("irreversible"); with.Get("pid") != nil && ends != nil && ends.Value != "false" {
				return scenarios.Usagef("%s can't be repeated: nothing starts process %s again (irreversible), and each run "+
					"needs a whole unit; let brunt start it (target.processes), or make one run", part.Name, with.Get("pid").Value)
			}
		}
	}
	return nil
}

// A DownError means that no further run is made, because a fault left a unit down that nothing starts again.
type DownError struct{ Fault string }

// Error says what to do about it.
func (e DownError) Error() string {
	return "no further run is made: nothing starts the unit again that " + e.Fault + " ended; start it, or give it a " +
		"supervisor or a restart policy"
}

// LeftDown returns a [DownError] if a fault of a run of the plan left a unit down that nothing starts again. It is nil
// if a further run finds all units.
func (p *Plan) LeftDown(r *result.Result) error {
	if p.Stack == nil { // else brunt starts the target for each run
		for i := range r.Faults {
			if r.Faults[i].StaysDown {
				return DownError{r.Faults[i].Name}
			}
		}
	}
	return nil
}

// Runs are runs of which none follows one that left a unit down that nothing starts again.
type Runs struct{ down atomic.Pointer[error] }

// Make makes a run of a plan, or returns a [DownError].
func (r *Runs) Make(p *Plan, run func() (*result.Result, error)) (*result.Result, error) {
	if down := r.down.Load(); down != nil {
		return nil, *down
	}
	res, err := run()
	if res != nil {
		if down := p.LeftDown(res); down != nil {
			r.down.Store(&down)
		}
	}
	return res, err
}

// WithoutRecords returns a copy of the plan, with a copy of its scenario, that records only requests; see
// [scenarios.Scenario.DropRecords]. It reads no alerts either.
func (p *Plan) WithoutRecords() *Plan {
	one, sc := *p, *p.Scenario
	sc.DropRecords()
	one.Scenario, one.Ledgers, one.Consistency, one.Deliveries, one.Alerts = &sc, nil, nil, nil, nil
	return &one
}

// Takes returns how long a run takes by its schedules: warm-up and loads. It does not include the start of the target
// and the end of the last requests.
func (p *Plan) Takes() time.Duration { return p.Scenario.Warmup + p.End() }

// End returns when the last load ends.
func (p *Plan) End() time.Duration {
	var end time.Duration
	for i := range p.Loads {
		end = max(end, p.Loads[i].Schedule.End())
	}
	return end
}
