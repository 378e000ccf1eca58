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
	N       int            // number of workers; zero means none
	Command []string       // the command line of a worker, as a process of this machine
	Hirer   workers.Hirer  // starts the workers; nil means as processes of this machine
	Terms   workers.Terms  // terms of workers elsewhere
	Source  workers.Source // the source that they compile; Seed is filled in, and Environ for processes of this machine
}

// hire starts the workers.
func (r *runner) hire(ctx context.Context) error {
	o := r.session.o.Workers
	for i := range r.plan.Loads {
		if lp := &r.plan.Loads[i]; lp.Script != nil && o.N > 1 {
			r.log.Note("load %q is a script of k6: %d processes of k6 make it, each a segment of its iterations",
				lp.Name, o.N)
		}
	}
	if o.N == 0 || onlyScripts(r.plan) {
		return nil
	}
	if o.Hirer == nil {
		o.Hirer, o.Source.Environ = workers.Processes(o.Command), os.Environ()
	}
	offer := workers.Offer{N: o.N, Run: r.session.o.ID, Source: o.Source, Terms: o.Terms}
	crew, err := workers.Hire(ctx, o.Hirer, offer, r.plan)
	if err != nil {
		return err
	}
	r.loads.crew = crew
	r.onClose(crew.Close)
	for k, name := range crew.Names() {
		r.log.Event(result.Event{Event: "worker.joined", Text: fmt.Sprintf("worker %d of %d: %s", k+1, o.N, name)})
	}
	return nil
}

// onlyScripts reports whether all loads are scripts of k6, for which no worker is started.
func onlyScripts(p *plan.Plan) bool {
	return !slices.ContainsFunc(p.Loads, func(lp plan.Load) bool { return lp.Script == nil })
}

// hasScript reports whether a load is a script of k6. The workers do not make such a load: its processes report to
// this process.
func hasScript(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Loads, func(lp plan.Load) bool { return lp.Script != nil })
}

// readyWorkers gives the workers the results of setup and the addresses of the target.
func (l *loads) readyWorkers(ctx context.Context) error {
	if l.crew == nil {
		return nil
	}
	base, links := l.session.sys.Base()
	units := l.session.env.Units
	if in := l.session.sys.Inside(); in.Base != "" && l.session.o.Workers.Terms.Remote {
		base, units = in.Base, in.Units
	}
	ready := workers.Ready{
		Base: base, Links: links, Units: units, Own: l.plan.LoadAllowlist.Own.List(),
		Vars: make([]template.Value, len(l.session.vars)), Salt: l.session.env.Salt, Control: l.session.o.NoChaos,
	}
	template.CopyVars(ready.Vars, l.session.vars)
	for _, t := range l.session.env.Tables {
		ready.Rows = append(ready.Rows, t.Taken())
	}
	for _, spec := range l.plan.Ledgers {
		read := map[string]string{}
		for _, p := range spec.Places {
			if p.Base == "" {
				read[p.Name] = l.readAt(spec, p.Name)
			}
		}
		ready.Read = append(ready.Read, read)
	}
	if l.session.o.Workers.Terms.Remote && len(links) > 0 {
		return fmt.Errorf("a fault is on the way from the load to %s, which brunt's own proxy on this machine makes: with "+
			"workers elsewhere, let the fault "+
			"hit the network of the service", strings.Join(slices.Sorted(maps.Keys(links)), ", "))
	}
	return l.crew.Ready(ctx, ready)
}

// lead is the time between the decision to begin and the first arrival.
func (l *loads) lead() time.Duration {
	if l.crew == nil {
		return lead
	}
	return time.Duration(20+2*l.session.o.Workers.N) * lead // enough for all workers to begin
}

// beginWorkers begins the load of the workers.
func (l *loads) beginWorkers() error {
	if l.crew == nil {
		return nil
	}
	if err := l.crew.Begin(&workers.Host{
		Plan: l.plan, Log: l.log, Recorder: l.rec, Samples: l.samples, Ledgers: l.ledgers,
		UsedUp:   func() { l.session.cancel(errUsedUp) },
		NoneLeft: func(why error) { l.session.cancel(fmt.Errorf("%w: %w", errNoLoad, why)) },
		Lost:     func(why error) { l.session.cancel(fmt.Errorf("%w: %w", errLost, why)) }, Hurry: l.session.o.Hurry,
	}); err != nil {
		return fmt.Errorf("begin the load: %w", err)
	}
	return nil
}

// accountFor makes the account of the iterations that the workers owed until the ends of the loads.
func (l *loads) accountFor(ends []time.Duration) (err error) {
	if l.crew != nil {
		l.account, err = l.crew.Account(ends, lagLimit(l.plan.Scenario.SLO))
	}
	return err
}

// limitsOfWorkers adds the workers' connections, protocols and limits to the health of the generator.
func (l *loads) limitsOfWorkers(g *result.Generator) {
	if l.account == nil {
		return
	}
	opened, spoken, peers := l.crew.Opened()
	g.Connections, g.Spoken = g.Connections+opened, append(g.Spoken, spoken...)
	for _, p := range peers {
		g.Peers = result.PeersOf(p, g.Peers)
	}
	g.Add(l.account.Limits...)
}

// addWorkers adds the workers to a result, and returns the reasons why its figures can't be trusted: without
// objectives, a lost part of the load is such a reason.
func (l *loads) addWorkers(res *result.Result, objectives int) (unfit []string) {
	if l.account == nil {
		return nil
	}
	res.Workers = l.account.Workers
	for _, note := range l.account.Notes {
		l.log.Note("%s", note)
	}
	if l.account.Lost != nil && objectives == 0 {
		unfit = append(unfit, l.account.Lost.Why)
	}
	return unfit
}
