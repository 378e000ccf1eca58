package run

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run/workers"
	"brunt/scenarios/template"
)

// Workers make the load of a run in place of its own process.
type Workers struct {
	N       int            // zero is none
	Command []string       // the command line of one, as a process of this machine
	Hirer   workers.Hirer  // what starts them; nil: they are processes of this machine
	Terms   workers.Terms  // of workers elsewhere
	Source  workers.Source // what they compile; Seed is filled in, and Environ for processes of this machine
}

// hire starts the workers.
func (r *runner) hire(ctx context.Context) error {
	o := r.o.Workers
	for i := range r.Loads {
		if lp := &r.Loads[i]; lp.Script != nil && o.N > 1 {
			r.Note("load %q is a script of k6: %d processes of k6 make it, each a segment of its iterations", lp.Name, o.N)
		}
	}
	if o.N == 0 || r.onlyScripts() {
		return nil
	}
	if o.Hirer == nil {
		o.Hirer, o.Source.Environ = workers.Processes(o.Command), os.Environ()
	}
	crew, err := workers.Hire(ctx, o.Hirer, workers.Offer{N: o.N, Run: r.o.ID, Source: o.Source, Terms: o.Terms}, r.Plan)
	if err != nil {
		return err
	}
	r.loads.crew = crew
	r.onClose(crew.Close)
	for k, name := range crew.Names() {
		r.Event(result.Event{Event: "worker.joined", Text: fmt.Sprintf("worker %d of %d: %s", k+1, o.N, name)})
	}
	return nil
}

// onlyScripts reports whether all loads are scripts of k6, for which no worker is started.
func (r *runner) onlyScripts() bool {
	return !slices.ContainsFunc(r.Loads, func(lp plan.Load) bool { return lp.Script == nil })
}

// hasScript reports whether a load is a script of k6. Its processes report to this one, and the workers do not make it.
func (r *runner) hasScript() bool {
	return slices.ContainsFunc(r.Loads, func(lp plan.Load) bool { return lp.Script != nil })
}

// readyWorkers gives the workers what setup and the target came to.
func (r *runner) readyWorkers(ctx context.Context) error {
	if r.loads.crew == nil {
		return nil
	}
	base, links := r.sys.Base()
	units := r.env.Units
	if in := r.sys.Inside(); in.Base != "" && r.o.Workers.Terms.Remote {
		base, units = in.Base, in.Units
	}
	ready := workers.Ready{
		Base: base, Links: links, Units: units, Own: r.LoadAllowlist.Own.List(), Vars: make([]template.Value, len(r.vars)),
		Salt:    r.env.Salt,
		Control: r.o.NoChaos,
	}
	template.CopyVars(ready.Vars, r.vars)
	for _, t := range r.env.Tables {
		ready.Rows = append(ready.Rows, t.Taken())
	}
	for _, l := range r.Plan.Ledgers {
		read := map[string]string{}
		for _, p := range l.Places {
			if p.Base == "" {
				read[p.Name] = r.loads.readAt(l, p.Name)
			}
		}
		ready.Read = append(ready.Read, read)
	}
	if r.o.Workers.Terms.Remote && len(links) > 0 {
		return fmt.Errorf("a fault is on the way from the load to %s, which brunt's own proxy on this machine makes: with "+
			"workers elsewhere, let the fault "+
			"hit the network of the service", strings.Join(slices.Sorted(maps.Keys(links)), ", "))
	}
	return r.loads.crew.Ready(ctx, ready)
}

// lead is the time between the decision to begin and the first arrival.
func (r *runner) lead() time.Duration {
	if r.loads.crew == nil {
		return lead
	}
	return time.Duration(20+2*r.o.Workers.N) * lead // until all have begun
}

// beginWorkers begins the load of the workers.
func (r *runner) beginWorkers() error {
	if r.loads.crew == nil {
		return nil
	}
	if err := r.loads.crew.Begin(&workers.Host{
		Plan: r.Plan, Log: r.Log, Recorder: r.loads.rec, Samples: r.loads.samples, Ledgers: r.loads.ledgers,
		UsedUp:   func() { r.cancel(errUsedUp) },
		NoneLeft: func(why error) { r.cancel(fmt.Errorf("%w: %w", errNoLoad, why)) },
		Lost:     func(why error) { r.cancel(fmt.Errorf("%w: %w", errLost, why)) }, Hurry: r.o.Hurry,
	}); err != nil {
		return fmt.Errorf("begin the load: %w", err)
	}
	return nil
}

// accountFor accounts for what the workers owed until the ends of the loads.
func (r *runner) accountFor(ends []time.Duration) (err error) {
	if r.loads.crew != nil {
		r.account, err = r.loads.crew.Account(ends, lagLimit(r.Scenario.SLO))
	}
	return err
}

// limitsOfWorkers adds to the health of the generator what the workers opened, and which of them were late.
func (r *runner) limitsOfWorkers(g *result.Generator) {
	if r.account == nil {
		return
	}
	opened, spoken := r.loads.crew.Opened()
	g.Connections, g.Spoken = g.Connections+opened, append(g.Spoken, spoken...)
	g.Add(r.account.Limits...)
}

// addWorkers adds the workers to a result, and says why none of its figures can be trusted: without objectives, a part
// of the load that is lost is such a reason.
func (r *runner) addWorkers(res *result.Result) (unfit []string) {
	if r.account == nil {
		return nil
	}
	res.Workers = r.account.Workers
	for _, note := range r.account.Notes {
		r.Note("%s", note)
	}
	if r.account.Lost != nil && len(res.Objectives) == 0 {
		unfit = append(unfit, r.account.Lost.Why)
	}
	return unfit
}
