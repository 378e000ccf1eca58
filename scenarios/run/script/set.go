package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/k6"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
	"brunt/scenarios/template"
)

// Errors of scripts that could not begin their load.
var (
	ErrSetup     = errors.New("setup failed")
	errNoProgram = errors.New("a script of k6 can't be run") // brunt-k6 was not found
)

// A Host is the run that scripts belong to.
type Host struct {
	Plan     *plan.Plan
	Log      *events.Log
	Env      *template.Env             // for the environment of scripts
	Base     string                    // URL of the target
	Parts    int                       // number of processes that each script is divided between; zero means one
	Links    map[string]string         // maps a host:port to the link to connect to instead
	LogDir   string                    // folder for the output of scripts; empty keeps none
	Control  bool                      // a control run, without faults
	Recorder *measure.Recorder         // recorder of all loads
	Samples  *samples.Set              // samples of failed requests
	Stop     func(condition string)    // ends the run because of a condition of a script
	Timeline func() *timeline.Timeline // timeline of the faults; nil in a control run
	Sink     func(load int) load.Sink  // sink for the requests of a load
}

// A Set holds the scripts of a run, with the checks and reasons that they add to it. The zero value has none. Any
// goroutine may use it.
type Set struct {
	host *Host

	mu      sync.Mutex
	scripts []*Script
	causes  scenarios.Causes // causes of the plan, with the checks that scripts have reported
	failed  []string         // reasons for which scripts have marked the run as failed
	active  []string         // faults that are active
}

// readyFor is the time limit for a script's init code and setup.
const readyFor = 10 * time.Minute

// Start starts the process of every script, and waits until each has done its setup. After an error
// call End as well.
func (set *Set) Start(ctx context.Context, h *Host) error {
	set.mu.Lock()
	set.host, set.causes = h, h.Plan.Causes()
	set.causes.Checks = slices.Clone(set.causes.Checks)
	set.mu.Unlock()
	h.Log.Subscribe(set.tellPhase)
	for i := range h.Plan.Loads {
		lp := &h.Plan.Loads[i]
		if lp.Script == nil {
			continue
		}
		if lp.Script.Missing != nil {
			return fmt.Errorf("%w: %w", errNoProgram, lp.Script.Missing)
		}
		if err := set.start(i); err != nil {
			return fmt.Errorf("load %q: %w", lp.Name, err)
		}
	}
	limit := time.NewTimer(readyFor)
	defer limit.Stop()
	for _, one := range set.all() {
		for _, p := range one.parts {
			if err := p.await(ctx, limit.C); err != nil {
				return err
			}
			for _, other := range one.parts[p.n+1:] {
				if p.n == 0 {
					_ = other.child.Send(k6.Command{Data: &p.data}) // the end of its process is noticed
				}
			}
		}
	}
	return nil
}

// End ends the remaining processes of scripts.
func (set *Set) End() {
	for _, one := range set.all() {
		one.end()
	}
}

func (set *Set) all() []*Script {
	set.mu.Lock()
	defer set.mu.Unlock()
	return set.scripts
}

// Of returns the script of a load; nil if the load is not a script.
func (set *Set) Of(load int) *Script {
	for _, one := range set.all() {
		if one.index == load {
			return one
		}
	}
	return nil
}

// Causes returns the names of the run's causes: those of the plan, and the checks that scripts have reported so far.
func (set *Set) Causes() scenarios.Causes {
	set.mu.Lock()
	defer set.mu.Unlock()
	names := set.causes
	names.Checks = slices.Clip(names.Checks)
	return names
}

// check returns the number of a check of a script.
func (set *Set) check(name string) int {
	name = set.host.Plan.Scenario.Secrets.Mask(name)
	set.mu.Lock()
	defer set.mu.Unlock()
	if i := slices.Index(set.causes.Checks, name); i >= 0 {
		return i
	}
	set.causes.Checks = append(set.causes.Checks, name)
	return len(set.causes.Checks) - 1
}

// Failures returns the reasons for which scripts have marked the run as failed.
func (set *Set) Failures() []string {
	set.mu.Lock()
	defer set.mu.Unlock()
	return slices.Clone(set.failed)
}

// markFailed makes the run fail, whatever its objectives say.
func (set *Set) markFailed(why string) {
	set.mu.Lock()
	defer set.mu.Unlock()
	set.failed = append(set.failed, why)
}

// tellPhase tells the scripts which faults are active.
func (set *Set) tellPhase(e result.Event) {
	set.mu.Lock()
	switch e.Event {
	case "fault.injected":
		set.active = append(set.active, e.Fault)
	case "fault.cleared", "fault.failed":
		set.active = slices.DeleteFunc(set.active, func(f string) bool { return f == e.Fault })
	default:
		set.mu.Unlock()
		return
	}
	phase, scripts := strings.Join(set.active, ", "), set.scripts
	set.mu.Unlock()
	for _, one := range scripts {
		one.tell(k6.Command{Phase: &phase})
	}
}
