package plan

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"brunt/chaos/container"

	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"

	"brunt/chaos"
	"brunt/chaos/netns"
	"brunt/scenarios"
	"brunt/scenarios/driver"
	"brunt/scenarios/ledger"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/observe"
	"brunt/targets"
	"brunt/targets/stack"
) // TargetName says in a word what is loaded.

func (p *Plan) TargetName() string {
	t := p.Scenario.Target
	switch TargetKind(&t) {
	case "stack":
		return "stack " + t.Stack
	case "processes", "containers":
		return TargetKind(&t)
	case "compose":
		return "compose " + t.Compose.File
	}
	return p.Scenario.Secrets.Mask(t.URL.Text())
}

// try finds out whether this machine can do a fault at all.
func (p *Plan) TryFault(e *chaos.Entry, ways func() []netns.Way) error {
	t, ok := e.Damage.(chaos.Tried)
	if !ok {
		return nil
	}
	return t.Try(p.Scope, ways)
}

// TryFaults refuses a plan with a fault that this machine can't do, before anything starts.
func (p *Plan) TryFaults() error {
	var errs []error
	ways := sync.OnceValue(netns.Ways)
	for _, e := range p.Faults {
		if err := p.TryFault(e, ways); err != nil {
			errs = append(errs, fmt.Errorf("fault %s: %w", e.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Share makes the plan's loads begin only a part of their iterations, in time as the whole
// would: for two sides that are loaded at once.
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

// StepNames gives the names of the steps of each load, by its name. Those of a script are
// known only once it runs.
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

// FaultKinds gives the kinds of the plan's faults by their names.
func (p *Plan) FaultKinds() map[string]string {
	kinds := map[string]string{}
	for _, e := range p.Faults {
		kinds[e.Name] = e.Kind
	}
	return kinds
}

// Objectives lists what a run is judged by; without chaos nothing of faults.
func (p *Plan) Objectives(noChaos bool) []slo.Objective {
	if !noChaos {
		return p.Scenario.SLO
	}
	return slices.DeleteFunc(slices.Clone(p.Scenario.SLO), func(o slo.Objective) bool {
		p := o.PhaseOrRun()
		return p != "run" && p != "baseline"
	})
}

func Brief(d time.Duration) string { return quantity.FormatDuration(d.Round(time.Millisecond)) }

// A Plan is a scenario with everything resolved: it can be run, and nothing has
// been started for it.
type Plan struct {
	Scenario *scenarios.Scenario
	Loads    []LoadPlan
	Setup    []load.Step
	Teardown []load.Step
	Series   measure.Series
	Checks   []string // names of checks and extractions, by the number that causes carry
	Faults   []*chaos.Entry
	Scope    chaos.Scope                   // what the target is made of
	Stack    *stack.Spec                   // nil: the target runs already
	Ledger   *ledger.Spec                  // nil: the scenario has none
	Chosen   map[string]*container.Service // containers that run already, by the names that the target gives them
	Gauges   []observe.Metric              // what is read of the target's own side
	Alerts   []observe.Alert               // of the team's own monitoring
	Notes    []string                      // what its author should know: what is odd, and the smallest outage that the load can show

	Contained      bool                          // it needs a Docker engine
	Self           []string                      // the command line of brunt, for stacks that are part of it
	Listen         string                        // host:port of the link to the target; empty is a free port
	Upstream       string                        // host:port where the loads reach a target that runs already
	Ready          []load.Step                   // asks a target that runs already whether it is ready
	Leaders        map[*chaos.Leader][]load.Step // ask a unit whether it leads
	Protocols      *targets.Set
	Shared         *targets.Shared             // what the steps share
	LoadAllowlist  *Allowlist                  // of the load
	ChaosAllowlist *Allowlist                  // of faults that are calls
	Policies       []*scenarios.Policy         // what it is held to
	Environ        func(string) (string, bool) // where proxies are named
}

// LoadPlan is a load with its executor and its calls.
type LoadPlan struct {
	scenarios.Load
	Schedule load.Plan
	Flows    []load.Flow
	InTurn   bool              // iterations take the flows in turn: those of a targets file
	Prelude  []load.Step       // once per virtual user
	Steps    []string          // Names of its steps, in the order of their numbers
	Script   *Script           // instead of flows: a script of k6; nil is none
	Driver   driver.Descriptor // what makes its requests
}

// Takes is how long a run takes by its schedules: warm-up and loads. What the target needs to
// come up and the last requests to end is not in it.
func (p *Plan) Takes() time.Duration { return p.Scenario.Warmup + p.End() }

// End is when the last load ends.
func (p *Plan) End() time.Duration {
	var end time.Duration
	for i := range p.Loads {
		end = max(end, p.Loads[i].Schedule.End())
	}
	return end
}
