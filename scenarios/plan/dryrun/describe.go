package dryrun

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"brunt/scenarios/syntax"

	"brunt/scenarios/quantity"

	"brunt/chaos"
	"brunt/scenarios/plan"
)

// Describe describes what a plan will do, for people.
func Describe(p *plan.Plan) []string {
	out := lines(p)
	for i := range out {
		out[i] = p.Scenario.Secrets.Mask(out[i])
	}
	return out
}

func lines(p *plan.Plan) []string {
	var out []string
	for i := range p.Loads {
		lp := &p.Loads[i]
		line := fmt.Sprintf("load %s: %s from %s to %s", lp.Name, lp.Executor, quantity.Brief(lp.Schedule.Start()),
			quantity.Brief(lp.Schedule.End()))
		switch {
		case lp.Schedule.Rate != nil && lp.Schedule.Poisson:
			line += fmt.Sprintf(", about %.0f iterations", lp.Schedule.Rate.Total())
		case lp.Schedule.Rate != nil:
			line += fmt.Sprintf(", %d iterations", lp.Schedule.Arrivals())
		case lp.Script != nil && lp.Script.Plan == nil:
			line = fmt.Sprintf("load %s: the script %s, without further details", lp.Name, lp.Load.Script.File)
		case lp.Script != nil:
			line = fmt.Sprintf("load %s: the script %s from %s to %s, up to %d virtual users", lp.Name, lp.Load.Script.File,
				quantity.Brief(lp.Schedule.Start()), quantity.Brief(lp.Schedule.End()), lp.Script.Plan.Users)
		default:
			line += fmt.Sprintf(", up to %.0f virtual users", lp.Schedule.Users.Max())
		}
		out = append(out, line)
	}
	for _, e := range p.Conditions {
		out = append(out, "condition "+e.Name+": "+e.Kind+" for the whole run")
	}
	for _, line := range expectedTimes(p) {
		out = append(out, "fault at "+line)
	}
	for _, line := range expectedReadBacks(p) {
		out = append(out, "read-back: "+line)
	}
	for _, o := range p.Scenario.SLO {
		out = append(out, "objective "+o.Text)
	}
	for i := range p.Loads {
		if lp := &p.Loads[i]; lp.Script != nil && lp.Script.Plan != nil {
			for _, t := range lp.Script.Plan.Thresholds {
				out = append(out, "threshold "+lp.Name+": "+t.Metric+" "+t.Source)
			}
		}
	}
	return out
}

// Run describes what a run would do: the timeline with the targets and steps of every fault, and how each would be
// undone. It only reads. The error joins the errors of faults that would fail; the description names them as well.
func Run(ctx context.Context, p *plan.Plan) ([]string, error) {
	faults, err := RunFaults(ctx, p)
	out := Describe(p)
	if len(faults) > 0 {
		out = append(out, "")
	}
	out = append(out, faults...)
	asks, wrong := questions(ctx, p)
	return append(out, asks...), errors.Join(err, wrong)
}

// questions tries the questions that a run would ask, and describes the results. The error joins the errors of
// questions that can't be asked.
func questions(ctx context.Context, p *plan.Plan) ([]string, error) {
	var out []string
	var errs []error
	for _, t := range Try(ctx, p) {
		if len(out) == 0 {
			out = append(out, "")
		}
		out = append(out, p.Scenario.Secrets.Mask(t.Noun()+" at "+t.String()))
		if t.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %s would fail: %w", t.At, p.Scenario.Secrets.Mask(t.What), t.Err))
		}
	}
	return out, errors.Join(errs...)
}

// RunFaults describes what the faults of the plan would do.
func RunFaults(ctx context.Context, p *plan.Plan) ([]string, error) {
	var errs []error
	var out []string
	faults, _, wrong := forecasts(ctx, p)
	if wrong != nil {
		out, errs = append(out, wrong.Error(), ""), append(errs, wrong)
	}
	for i, f := range faults {
		if i > 0 {
			out = append(out, "")
		}
		out = append(out, f.lines()...)
		errs = append(errs, f.err())
	}
	return out, errors.Join(errs...)
}

// futureUnit is a unit that a run would start.
type futureUnit struct {
	service    string
	index      int
	supervised bool
}

func (f futureUnit) Name() string                              { return syntax.UnitName(f.service, f.index) }
func (f futureUnit) Service() string                           { return f.service }
func (f futureUnit) PID() int                                  { return 0 }
func (f futureUnit) Supervised() bool                          { return f.supervised }
func (f futureUnit) Ready(context.Context) error               { return errNotStarted }
func (f futureUnit) Stop(context.Context, time.Duration) error { return errNotStarted }
func (f futureUnit) Start(context.Context) error               { return errNotStarted }
func (f futureUnit) Traits() chaos.UnitTraits                  { return chaos.UnitTraits{} }

// futureContainer is a unit that would run in a container of its own. Its addresses are not known
// yet.
type futureContainer struct{ futureUnit }

var _ chaos.Contained = futureContainer{}

func (f futureContainer) Traits() chaos.UnitTraits     { return chaos.UnitTraits{Contained: f} }
func (futureContainer) ContainerID() chaos.ContainerID { return chaos.ContainerID{} }
func (futureContainer) Addresses() []netip.Addr        { return nil }
func (futureContainer) Listens() []uint16              { return nil }

var errNotStarted = errors.New("it is not started yet")
