package dryrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/finder"
	"brunt/scenarios/quantity"
	"brunt/targets/platform"
)

// A Forecast is what a fault would do, planned before anything runs.
type Forecast struct {
	Fault     string         `json:"fault"`
	Kind      string         `json:"kind"`
	Detect    string         `json:"detect,omitempty"`   // how the team's monitoring is polled
	OneShot   bool           `json:"one_shot,omitempty"` // it is over once it is done
	Skipped   string         `json:"skipped,omitempty"`  // why no target matches, where that is allowed
	Steps     []ForecastStep `json:"steps"`
	Processes []proc.Process `json:"processes,omitempty"` // processes that it would hit and that brunt did not start

	err error
}

// A ForecastStep is one act of a fault.
type ForecastStep struct {
	Step  string   `json:"step,omitempty"`  // of a group
	After float64  `json:"after,omitempty"` // seconds from the begin of the group
	What  string   `json:"what"`
	Via   string   `json:"via"`
	Units []string `json:"units"`
	Over  bool     `json:"over,omitempty"` // a step of a group that is over once it is done
	Undo  []string `json:"undo,omitempty"` // how brunt or its watchdog would undo it; empty if it ends with brunt
}

// forecasts plans every fault against units that do not run yet. It reads only.
func forecasts(ctx context.Context, p *plan.Plan) []Forecast {
	env := chaos.Env{
		Targets:    chaos.Targets{Zones: p.Scope.Zones, MaxUnits: p.Scenario.Guard.MaxUnits, Spare: p.CheckProtected},
		Occurrence: chaos.Occurrence{Dry: true, Now: func() time.Duration { return 0 }},
	}
	entry := chaos.TargetName
	if p.Contained && p.Stack == nil {
		s := finder.New(p)
		defer s.Close()
		env.Find = s.Find
		if err := s.Choose(ctx); err == nil { // else the faults report the error
			env.Units, env.Zones = s.Units(), s.Zones()
		}
	}
	if p.Stack != nil {
		for _, s := range p.Stack.Services {
			for i := range s.Replicas {
				u := futureUnit{s.Name, i, s.Restart != "never"}
				if p.Stack.Platform == platform.Docker {
					env.Units = append(env.Units, futureContainer{u})
				} else {
					env.Units = append(env.Units, u)
				}
			}
		}
		for _, e := range p.Stack.Edges() {
			env.Links = append(env.Links, &chaos.Link{From: e.From, To: e.To})
		}
		entry = platform.UnitName(p.Stack.Entry, 0)
	}
	env.Links = append(env.Links, &chaos.Link{From: chaos.LoadName, To: entry})
	var out []Forecast
	for place, e := range p.Faults {
		f := Forecast{Fault: e.Name, Kind: e.Kind, OneShot: e.OneShot(), Steps: []ForecastStep{}}
		if e.Detect != nil {
			f.Detect = e.Detect.String()
		}
		for _, pid := range e.Traits(p.Scope).PIDs {
			f.Processes = append(f.Processes, proc.ProcessOf(pid))
		}
		env.Rand = rand.New(rand.NewPCG(p.Scenario.Seed, uint64(place)<<32))
		parts, err := e.PlanParts(ctx, env)
		if err != nil {
			if p.Scenario.Guard.OnNoUnit == "skip" && errors.Is(err, chaos.ErrNoUnit) {
				f.Skipped = err.Error()
				out = append(out, f)
				continue
			}
			f.err = fmt.Errorf("fault %q would fail: %w", e.Name, err)
			out = append(out, f)
			continue
		}
		for _, part := range parts {
			f.add(e, &part)
		}
		out = append(out, f)
	}
	return out
}

// add adds what one fault of an entry would do.
func (f *Forecast) add(e *chaos.Entry, part *chaos.PlannedPart) {
	for _, s := range part.Steps {
		step := ForecastStep{What: s.String(), Via: s.Via(), Units: s.Units()}
		if part.Entry != e {
			step.Step, step.After, step.Over = part.Name, part.Wait.D().Seconds(), part.OneShot()
		}
		for _, u := range s.Undo() {
			step.Undo = append(step.Undo, u.Op)
		}
		f.Steps = append(f.Steps, step)
	}
}

// lines describes the forecast, for people.
func (f *Forecast) lines() []string {
	out := []string{"fault " + f.Fault + " (" + f.Kind + ")"}
	if f.Detect != "" {
		out = append(out, "  noticed by "+f.Detect)
	}
	if f.Skipped != "" {
		return append(out, "  would be skipped: "+f.Skipped)
	}
	if f.err != nil {
		_, why, _ := strings.Cut(f.err.Error(), " would fail: ")
		return append(out, "  would fail: "+why)
	}
	of := ""
	for _, s := range f.Steps {
		if s.Step != of {
			of = s.Step
			out = append(out, "  step "+of+", "+quantity.FormatSeconds(s.After)+" after its begin")
		}
		out = append(out, fmt.Sprintf("  %s; by %s, hitting %s", s.What, s.Via, strings.Join(s.Units, ", ")))
		switch {
		case len(s.Undo) > 0:
		case f.OneShot, s.Over:
			out = append(out, "    nothing to take back: it is over once it is done")
		default:
			out = append(out, "    taken back by: brunt itself; the fault dies with it")
		}
		for _, op := range s.Undo {
			out = append(out, "    taken back by: "+op+", by brunt or by its watchdog")
		}
	}
	return out
}

// same reports whether two values have the same JSON.
func same(a, b any) bool {
	x, xerr := json.Marshal(a)
	y, yerr := json.Marshal(b)
	return xerr == nil && yerr == nil && string(x) == string(y)
}
