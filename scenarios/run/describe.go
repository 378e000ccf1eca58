package run

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"brunt/chaos"
	"brunt/targets/stack"
)

// Describe says what a plan will do, for people.
func (p *Plan) Describe() []string {
	out := p.describe()
	for i := range out {
		out[i] = p.Scenario.Secrets.Mask(out[i])
	}
	return out
}

func (p *Plan) describe() []string {
	var out []string
	for i := range p.Loads {
		lp := &p.Loads[i]
		line := fmt.Sprintf("load %s: %s from %s to %s", lp.Name, lp.Executor, brief(lp.Schedule.Start()), brief(lp.Schedule.End()))
		switch {
		case lp.Schedule.Rate != nil && lp.Schedule.Poisson:
			line += fmt.Sprintf(", about %.0f iterations", lp.Schedule.Rate.Total())
		case lp.Schedule.Rate != nil:
			line += fmt.Sprintf(", %d iterations", lp.Schedule.Arrivals())
		case lp.Script != nil && lp.Script.Plan == nil:
			line = fmt.Sprintf("load %s: the script %s, of which nothing more is known", lp.Name, lp.Load.Script.File)
		case lp.Script != nil:
			line = fmt.Sprintf("load %s: the script %s from %s to %s, up to %d virtual users", lp.Name, lp.Load.Script.File, brief(lp.Schedule.Start()), brief(lp.Schedule.End()), lp.Script.Users)
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
	for i := range p.Loads {
		if lp := &p.Loads[i]; lp.Script != nil && lp.Script.Plan != nil {
			for _, t := range lp.Script.Thresholds {
				out = append(out, "threshold "+lp.Name+": "+t.Metric+" "+t.Source)
			}
		}
	}
	return out
}

// DryRun says what a run would do, by whom it would hit: the timeline with the steps
// of every fault and how each would be taken back. It reads only. The error is that of
// every fault that would fail; what is said names them too.
func (p *Plan) DryRun(ctx context.Context) ([]string, error) {
	faults, err := p.DryRunFaults(ctx)
	out := p.Describe()
	if len(faults) > 0 {
		out = append(out, "")
	}
	return append(out, faults...), err
}

// DryRunFaults says what the faults of the plan would do.
func (p *Plan) DryRunFaults(ctx context.Context) ([]string, error) {
	var errs []error
	var out []string
	for i, f := range p.foresee(ctx) {
		if i > 0 {
			out = append(out, "")
		}
		out = append(out, f.lines()...)
		errs = append(errs, f.err)
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

// foreseenContainer is one that would run in a container of its own. Nobody knows its addresses
// yet.
type foreseenContainer struct{ foreseen }

var _ chaos.Contained = foreseenContainer{}

func (foreseenContainer) Container() (id string, started time.Time) { return "", time.Time{} }
func (foreseenContainer) Addresses() []netip.Addr                   { return nil }

var errForeseen = errors.New("it is not started yet")

// FaultKinds gives the kinds of the plan's faults by their names.
func (p *Plan) FaultKinds() map[string]string {
	kinds := map[string]string{}
	for _, e := range p.Faults {
		kinds[e.Name] = e.Kind
	}
	return kinds
}
