package plan

import (
	"fmt"
	"net"

	"brunt/chaos/cluster"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// checkWorkers refuses workers that the load can't be split between. Each mistake stands at the key that limits the
// number of workers.
func checkWorkers(p *Plan, m *syntax.Mistakes) {
	sc := p.Scenario
	n := sc.Workers.Count
	if n == 0 {
		return
	}
	crew := syntax.Amount(n, "worker")
	for i := range p.Loads {
		lp := &p.Loads[i]
		few := func(at syntax.Pos, what string, has int) {
			if has > 0 && has < n {
				m.AddHint(at, "each worker makes a part of every load", "load %q has %s, fewer than %s", lp.Name, what, crew)
			}
		}
		users := 0
		switch {
		case lp.Script == nil && lp.Schedule.Closed():
			users = int(lp.Schedule.MostUsers())
		case lp.Script != nil && lp.Script.Plan != nil:
			users = lp.Script.Plan.Users
		}
		few(lp.shapeAt(), syntax.Amount(users, "virtual user"), users)
		few(lp.Of("max_in_flight"), fmt.Sprintf("max_in_flight: %d", lp.MaxInFlight), lp.MaxInFlight)
		few(lp.Connections.Of("max"), fmt.Sprintf("connections.max: %d", lp.Connections.Max), lp.Connections.Max)
	}
	const alone = "leave `workers` out"
	if sc.Trace.Listen != "" {
		m.AddHint(sc.Trace.Of("listen"), alone, "`trace: {listen: %s}` takes the requests of brunt's own process, and workers "+
			"make these", sc.Trace.Listen)
	}
	for _, one := range sc.Consistency {
		m.AddHint(one.At, alone, "`consistency` needs one clock for all reads and writes, and each worker has its own")
	}
	for _, one := range sc.Deliveries {
		m.AddHint(one.At, alone,
			"`deliveries` are seen by one process, which has to know what was sent, and workers send it")
	}
}

// checkPods refuses workers in a cluster for a load that pods can't make.
func checkPods(p *Plan, m *syntax.Mistakes) {
	sc := p.Scenario
	if !sc.Workers.Elsewhere() {
		return
	}
	if p.Stack != nil && !p.Stack.OnPods() {
		m.AddHint(sc.Target.Of(sc.Target.Kind()), "name a target by its URL, as the pods see it",
			"brunt starts the target on this machine, where the pods of `workers` do not reach it")
		return
	}
	for i := range p.Loads {
		if lp := &p.Loads[i]; lp.Script != nil {
			m.AddHint(lp.shapeAt(), "`on: process` in `workers`",
				"load %q is a script of k6, which processes of this machine make, not pods", lp.Name)
		}
	}
	if why := cluster.ProtectedNamespace(sc.Workers.Namespace); why != nil {
		m.Add(sc.Workers.Of("namespace"), "%v", why)
	}
	reached := func(at syntax.Pos, hop string) {
		if host, _, err := net.SplitHostPort(hop); err == nil && scenarios.IsLoopback(host) {
			m.AddHint(at, "name it as the pods see it",
				"the target %s is this machine's own, and a pod of `workers` would reach itself there", hop)
		}
	}
	reached(sc.Target.Of("url"), p.FirstHop())
	for _, text := range p.Endpoints(&template.Env{}) {
		if hop, err := p.HopTo(text); err == nil {
			reached(sc.Target.Of("endpoints"), hop)
		}
	}
}
