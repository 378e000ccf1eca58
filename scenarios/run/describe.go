package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/targets/stack"
)

// Describe says what a plan will do, for people.
func (p *Plan) Describe() []string {
	var out []string
	for i := range p.Loads {
		lp := &p.Loads[i]
		line := fmt.Sprintf("load %s: %s from %s to %s", lp.Name, lp.Executor, brief(lp.Schedule.Start()), brief(lp.Schedule.End()))
		switch {
		case lp.Schedule.Rate != nil && lp.Schedule.Poisson:
			line += fmt.Sprintf(", about %.0f iterations", lp.Schedule.Rate.Total())
		case lp.Schedule.Rate != nil:
			line += fmt.Sprintf(", %d iterations", lp.Schedule.Arrivals())
		default:
			line += fmt.Sprintf(", up to %.0f virtual users", lp.Schedule.Users.Max())
		}
		out = append(out, line)
	}
	for _, line := range p.timeline() {
		out = append(out, "fault at "+line)
	}
	for _, o := range p.Scenario.SLO {
		out = append(out, "objective "+o.Text)
	}
	return out
}

// DryRun says what a run would do, by whom it would hit: the timeline with the steps
// of every fault and how each would be taken back. It reads only. The error is that of
// every fault that would fail; what is said names them too.
func (p *Plan) DryRun(ctx context.Context) ([]string, error) {
	var errs []error
	out := p.Describe()
	env := chaos.Env{Zones: p.Scope.Zones, MaxUnits: p.Scenario.Guard.MaxUnits, Dry: true, Now: func() time.Duration { return 0 }}
	if p.Stack != nil {
		for _, s := range p.Stack.Services {
			for i := range s.Replicas {
				env.Units = append(env.Units, foreseen{s.Name, i, s.Restart != "never"})
			}
		}
		for _, e := range p.Stack.Edges() {
			env.Links = append(env.Links, &chaos.Link{From: e.From, To: e.To})
		}
	}
	entry := chaos.TargetName
	if p.Stack != nil {
		entry = stack.UnitName(p.Stack.Entry, 0)
	}
	env.Links = append(env.Links, &chaos.Link{From: chaos.LoadName, To: entry})
	for place, e := range p.Faults {
		out = append(out, "", "fault "+e.Name+" ("+e.Kind+")")
		env.Rand = rand.New(rand.NewPCG(p.Scenario.Seed, uint64(place)<<32))
		steps, err := e.Damage.Plan(ctx, env)
		if err != nil && p.Scenario.Guard.OnNoUnit == "skip" && errors.Is(err, chaos.ErrNoUnit) {
			out = append(out, "  would be skipped: "+err.Error())
			continue
		}
		if err != nil {
			out = append(out, "  would fail: "+err.Error())
			errs = append(errs, fmt.Errorf("fault %q would fail: %w", e.Name, err))
			continue
		}
		for _, s := range steps {
			out = append(out, fmt.Sprintf("  %s; by %s, hitting %s", s, s.Via(), strings.Join(s.Units(), ", ")))
			undo := s.Undo()
			switch {
			case len(undo) > 0:
			case e.OneShot():
				out = append(out, "    nothing to take back: it is over once it is done")
			default:
				out = append(out, "    taken back by: brunt itself; the fault dies with it")
			}
			for _, u := range undo {
				out = append(out, "    taken back by: "+u.Op+", by brunt or by its guard")
			}
		}
	}
	return out, errors.Join(errs...)
}

// foreseen is a unit that a run would start.
type foreseen struct {
	service    string
	index      int
	supervised bool
}

func (f foreseen) Name() string                              { return stack.UnitName(f.service, f.index) }
func (f foreseen) Service() string                           { return f.service }
func (f foreseen) PID() int                                  { return 0 }
func (f foreseen) Supervised() bool                          { return f.supervised }
func (f foreseen) Ready(context.Context) error               { return errForeseen }
func (f foreseen) Stop(context.Context, time.Duration) error { return errForeseen }
func (f foreseen) Start(context.Context) error               { return errForeseen }

var errForeseen = errors.New("it is not started yet")
