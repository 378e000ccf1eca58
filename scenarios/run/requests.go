package run

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// requests makes requests to the target: for the loads, and those that are not measured.
type requests struct{ *session }

// reach returns the options by which a load reaches its target.
func (r *requests) reach(l *scenarios.Load) targets.Options {
	base, resolve := r.sys.Base()
	for k, v := range l.Resolve {
		if resolve == nil {
			resolve = map[string]string{}
		}
		if _, linked := resolve[k]; !linked {
			resolve[k] = v
		}
	}
	return targets.Options{
		Base: base, Endpoints: r.Endpoints(r.env), TLS: r.Scenario.Target.TLS, Connections: l.Connections, Resolve: resolve,
		Proxies: r.ProxiesOf(l), Timeout: l.Timeout.D(),
		Seed: r.Scenario.Seed ^ load.Hash(l.Name), T0: r.T0(), Allow: r.LoadAllowlist.Check, Agent: "brunt",
		Tracing: targets.Tracing{High: r.traceHigh(l.Name), Sampled: r.Scenario.Trace.Samples()},
	}
}

// traceHigh is the first half of the trace ids of a load; zero means no traces.
func (r *requests) traceHigh(name string) uint64 {
	if !r.Scenario.Trace.Sends() {
		return 0
	}
	return max(1, r.env.Salt[0]^load.Hash(name))
}

// straight returns the options for requests to one address, as the first load would make them but
// bypassing links with faults.
func (r *requests) straight(base string, timeout time.Duration, kept *samples.Set) targets.Options {
	l := r.SetupLoad()
	o := r.reach(l)
	o.Base, o.Endpoints, o.Resolve, o.Timeout, o.Sampler = base, nil, l.Resolve, timeout, kept
	return o
}

// ask runs a step of a question at a unit, or at the target where u is nil, and returns what it extracted as
// value. It changes no variable of the run.
func (r *requests) ask(ctx context.Context, n *syntax.Node, u chaos.Unit, timeout time.Duration) (string, error) {
	step, known := r.Plan.Asked[n]
	if !known || step.Call == nil {
		return "", errors.New("it can't be asked")
	}
	kept := &samples.Set{Mask: r.Scenario.Secrets.Mask}
	var o targets.Options
	what, env := "question", *r.env
	if u == nil {
		l := r.SetupLoad()
		o = r.reach(l)
		o.Timeout, o.Sampler = timeout, kept
	} else {
		addr := probe.AddressOf(u)
		if addr == "" {
			return "", errors.New("it has no address at which it could be asked")
		}
		what = "question to " + u.Name()
		env.Units = probe.AddressesAt(u, env.Units)
		o = r.straight(r.Protocols.Of(step.Call).Schemes[0]+"://"+addr, timeout, kept)
	}
	vars := slices.Clone(r.vars)
	for i := range vars {
		vars[i].Text = slices.Clone(vars[i].Text) // an extraction writes over it
	}
	if err := r.sequence(ctx, what, []load.Step{step}, o, vars, &env); err != nil {
		return "", err
	}
	if slot := r.Scenario.Symbols.Var(plan.AskedValue); slot < len(vars) {
		return string(vars[slot].Text), nil
	}
	return "", nil
}

// The keys of a scenario for what runs once.
const (
	ofSetup    = "setup"
	ofTeardown = "teardown"
)

// parts runs the parts of setup or teardown. Setup ends at the first failure; teardown does all that it can.
func (r *requests) parts(ctx context.Context, what string, parts []plan.OncePart) error {
	var errs []error
	n := 0
	for _, p := range parts {
		var err error
		if p.Command == nil {
			err = r.once(ctx, what, p.Steps)
		} else {
			n++
			err = r.sys.Command(ctx, what, n, p.Command)
		}
		if errs = append(errs, err); err != nil && what == ofSetup {
			break
		}
	}
	return errors.Join(errs...)
}

// ready requests the steps of the ready block once from a target that already runs.
func (r *requests) ready(ctx context.Context) error {
	if q := r.ReadyOf(""); q != nil {
		env := *r.env
		env.Units = probe.AddressesAt(probe.TargetAt(r.FirstHop()), env.Units)
		return r.onceIn(ctx, "ready", r.Ready, q.TimeoutOr(), &env)
	}
	return r.once(ctx, "ready", r.Ready)
}

// once runs steps that are not measured, of setup or teardown; it ends at the first failure.
func (r *requests) once(ctx context.Context, what string, steps []load.Step) error {
	return r.onceIn(ctx, what, steps, scenarios.DefaultTimeout, r.env)
}

// onceIn runs steps as once does, with a timeout of each and what their templates see.
func (r *requests) onceIn(ctx context.Context, what string, steps []load.Step, timeout time.Duration, env *template.Env) error {
	if len(steps) == 0 {
		return nil
	}
	l := r.SetupLoad()
	l.Timeout = quantity.Duration(timeout)
	o := r.reach(l)
	o.Sampler = &samples.Set{Mask: r.Scenario.Secrets.Mask}
	return r.sequence(ctx, what, steps, o, r.vars, env)
}

// sequence runs steps as one iteration, with a client of its own. The steps extract into vars. A step that was
// answered and did not pass is a [chaos.NotPassedError].
func (r *requests) sequence(ctx context.Context, what string, steps []load.Step, o targets.Options, vars []template.Value,
	env *template.Env,
) error {
	of := r.Protocols.Select(load.Calls(steps)...)
	client, err := of.Client(o)
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(ctx, client.Abort)()
	if err := of.Bind(ctx, client); err != nil {
		return err
	}
	session, err := client.Open(0)
	if err != nil {
		return err
	}
	defer session.Close()
	it := &template.Iter{Rand: rand.New(rand.NewPCG(r.Scenario.Seed, load.Hash(what))), Vars: vars, Env: env}
	it.Reset()
	if end := of.Ender(); end != nil {
		defer end(session, it)
	}
	for _, s := range steps {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if s.Call == nil {
			select {
			case <-time.After(s.Think.Min):
			case <-ctx.Done():
			}
			continue
		}
		it.Intended = r.Now()
		it.Deadline = it.Intended + o.Timeout
		out := scenarios.Outcome{Step: onceStep, Intended: it.Intended, Ready: it.Intended}
		session.Do(it, s.Call, &out)
		if out.Kind != scenarios.OK {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			said := s.Call.Name() + ": " + r.why(&out, o.Sampler.(*samples.Set))
			if out.Kind == scenarios.Shed || out.Cause.OfAnswer() {
				return &chaos.NotPassedError{Said: said}
			}
			return errors.New(said)
		}
	}
	return nil
}

// why describes the failure of a request that is not measured.
func (r *requests) why(out *scenarios.Outcome, kept *samples.Set) string {
	why := out.Cause.Name(r.Checks)
	if sm := kept.First(onceStep, out.Cause); sm != nil && sm.Said() != "" {
		why += ": " + sm.Said()
	}
	return why
}

// onceStep is the step number of setup and teardown, which are not measured.
const onceStep = -2
