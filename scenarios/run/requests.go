package run

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/load"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/observe"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/run/events"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// A requester makes requests to the target: for the loads, and requests that are not measured.
type requester struct {
	session *session
	plan    *plan.Plan
	log     *events.Log
	asks    observe.Asks // times of requests for tokens
}

func newRequester(s *session) *requester { return &requester{session: s, plan: s.plan, log: s.log} }

// reach returns the options by which a load reaches its target.
func (r *requester) reach(l *scenarios.Load) targets.Options {
	sc := r.plan.Scenario
	base, resolve := r.session.sys.Base()
	for k, v := range l.Resolve {
		if resolve == nil {
			resolve = map[string]string{}
		}
		if _, linked := resolve[k]; !linked {
			resolve[k] = v
		}
	}
	if all := r.entries(); l.Connections.Entries == scenarios.AllEntries && len(all) > 1 {
		if resolve == nil {
			resolve = map[string]string{}
		}
		resolve[all[0]] = strings.Join(all, ",")
	}
	return targets.Options{
		Base: base, Endpoints: r.plan.Endpoints(r.session.env), TLS: sc.Target.TLS, Connections: l.Connections,
		Resolve: resolve, Proxies: r.plan.ProxiesOf(l), Timeout: l.Timeout.D(),
		Seed: sc.Seed ^ load.Hash(l.Name), T0: r.log.T0(), Allow: r.plan.LoadAllowlist, Agent: "brunt",
		Tracing: targets.Tracing{High: r.session.traceHigh(l.Name), Sampled: sc.Trace.Samples()},
	}
}

// entries returns the addresses of the replicas of the target's entry, in order of index. It is empty for a target
// that brunt did not start.
func (r *requester) entries() (out []string) {
	stack := r.plan.Stack
	if stack == nil || stack.Service(stack.Entry) == nil {
		return nil
	}
	for i := range stack.Service(stack.Entry).Replicas {
		unit := syntax.UnitName(stack.Entry, i)
		out = append(out, r.session.env.Units["unit."+unit+".addr"])
	}
	return out
}

// straight returns the options for requests to one address, as the first load would make them, but past links with
// faults.
func (r *requester) straight(base string, timeout time.Duration, kept *samples.Set) targets.Options {
	l := r.plan.SetupLoad()
	o := r.reach(l)
	o.Base, o.Endpoints, o.Resolve, o.Timeout, o.Sampler = base, nil, l.Resolve, timeout, kept
	return o
}

// ask runs a step of a question at a unit, or at the target if u is nil, and returns the value that the step
// extracted as `value`. It does not change variables of the run.
func (r *requester) ask(ctx context.Context, n *syntax.Node, u chaos.Unit, timeout time.Duration) (string, error) {
	steps, known := r.plan.Asked[n]
	if !known {
		return "", errors.New("it can't be asked")
	}
	var o targets.Options
	what, env := "question", *r.session.env
	if u == nil {
		l := r.plan.SetupLoad()
		o = r.reach(l)
		o.Timeout = timeout
	} else {
		addr := probe.AddressOf(u)
		if addr == "" {
			return "", errors.New("it has no address to send the question to")
		}
		what = "question to " + u.Name()
		env.Units = probe.AddressesAt(u, env.Units)
		o = r.straight(plan.UnitURL(r.plan, steps[0].Call, addr), timeout, nil)
	}
	vars := slices.Clone(r.session.vars)
	for i := range vars {
		vars[i].Text = slices.Clone(vars[i].Text) // an extraction overwrites the text
	}
	if err := runOnce(ctx, r.iteration(what, steps, o, vars, &env), steps); err != nil {
		return "", err
	}
	if slot := r.plan.Scenario.Symbols.Var(plan.AskedValue); slot < len(vars) {
		return string(vars[slot].Text), nil
	}
	return "", nil
}

// act runs the steps of a fault in sessions of their own, which it leaves open. The steps bypass links with faults,
// and may only go to addresses that both the load and the faults may reach.
func (r *requester) act(ctx context.Context, s chaos.Sequence) (io.Closer, error) {
	steps, known := r.plan.Asked[s.Steps]
	if !known {
		return nil, errors.New("its steps can't be made")
	}
	l := r.plan.SetupLoad()
	o := r.reach(l)
	o.Resolve, o.Timeout, o.Holds = l.Resolve, s.Timeout, true
	o.Allow = allow.All{r.plan.LoadAllowlist, r.plan.ChaosAllowlist}
	return guard.HoldOnce(ctx, steps, max(1, s.Sessions), func() *guard.Iteration {
		vars := make([]template.Value, len(r.session.vars))
		template.CopyVars(vars, r.session.vars)
		return r.iteration("fault", steps, o, vars, r.session.env)
	})
}

// keep returns the steps of a fault in the form that the journal keeps.
func (r *requester) keep(s chaos.Sequence) (json.RawMessage, error) {
	base, _ := r.session.sys.Base()
	return guard.KeepRun(&guard.RevertRun{Plan: r.plan, Base: base, Units: r.session.env.Units}, s)
}

// The keys of a scenario for steps that run once.
const (
	ofSetup    = "setup"
	ofTeardown = "teardown"
)

// parts runs the parts of setup or teardown as one iteration. Setup ends at the first failure; teardown goes on after
// failures until ctx ends.
func (r *requester) parts(ctx context.Context, what string, parts []plan.OncePart) error {
	var errs []error
	var steps []load.Step
	for _, p := range parts {
		steps = append(steps, p.Steps...)
	}
	it := r.iteration(what, steps, r.setupOptions(scenarios.DefaultTimeout), r.session.vars, r.session.env)
	defer it.Close()
	n := 0
	for _, p := range parts {
		if ctx.Err() != nil {
			errs = append(errs, context.Cause(ctx))
			break
		}
		var err error
		if p.Command == nil {
			err = it.Run(ctx, p.Steps)
		} else {
			n++
			err = r.session.sys.Command(ctx, what, n, p.Command)
		}
		if errs = append(errs, err); err != nil && (what == ofSetup || ctx.Err() != nil) {
			break
		}
	}
	return errors.Join(errs...)
}

// ready requests the steps of the ready block once from a target that already runs.
func (r *requester) ready(ctx context.Context) error {
	if len(r.plan.Ready) == 0 {
		return nil
	}
	env, timeout := *r.session.env, scenarios.DefaultTimeout
	if q := r.plan.ReadyOf(""); q != nil {
		env.Units, timeout = probe.AddressesAt(probe.TargetAt(r.plan.FirstHop()), env.Units), q.TimeoutOr()
	}
	return runOnce(ctx, r.iteration("ready", r.plan.Ready, r.setupOptions(timeout), r.session.vars, &env), r.plan.Ready)
}

// setupOptions returns the options for requests before and after the load. timeout is the timeout of each request.
func (r *requester) setupOptions(timeout time.Duration) targets.Options {
	l := r.plan.SetupLoad()
	l.Timeout = quantity.Duration(timeout)
	return r.reach(l)
}

// runOnce runs steps as an iteration, and closes it.
func runOnce(ctx context.Context, it *guard.Iteration, steps []load.Step) error {
	defer it.Close()
	return it.Run(ctx, steps)
}

// iteration prepares an iteration of steps that are not measured. The steps extract into vars.
func (r *requester) iteration(
	what string, steps []load.Step, o targets.Options, vars []template.Value, env *template.Env,
) *guard.Iteration {
	return &guard.Iteration{
		Protocols: r.plan.Protocols, Calls: load.Calls(steps), Target: o, Mask: r.plan.Scenario.Secrets.Mask,
		Causes: r.plan.Causes(), Now: r.log.Now,
		Seed: [2]uint64{r.plan.Scenario.Seed, load.Hash(what)}, Vars: vars, Env: env,
	}
}
