package run

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/targets"
)

// client makes a client for one load, or for setup and teardown.
func (r *runner) client(l *scenarios.Load, samples *measure.Samples) (targets.Client, error) {
	base, resolve := r.sys.base()
	for k, v := range l.Resolve {
		if resolve == nil {
			resolve = map[string]string{}
		}
		if _, linked := resolve[k]; !linked {
			resolve[k] = v
		}
	}
	return r.protocol.Client(targets.Options{
		Base: base, TLS: r.Scenario.Target.TLS, Connections: l.Connections, Resolve: resolve, Proxies: r.proxiesOf(l), Timeout: l.Timeout.D(),
		Seed: r.Scenario.Seed ^ hashOf(l.Name), T0: r.t0, Gate: r.gate.check, Sampler: samples, Agent: "brunt",
	})
}

// once runs steps that are not measured, of setup or teardown; the first that fails
// ends it.
func (r *runner) once(ctx context.Context, what string, steps []load.Step) error {
	if len(steps) == 0 {
		return nil
	}
	l := scenarios.Load{Timeout: scenarios.Duration(scenarios.DefaultTimeout)}
	if len(r.Loads) > 0 {
		l.Resolve, l.Connections = r.Loads[0].Resolve, r.Loads[0].Connections
	}
	samples := &measure.Samples{Mask: r.Scenario.Secrets.Mask}
	client, err := r.client(&l, samples)
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(ctx, client.Abort)()
	session, err := client.Open(0)
	if err != nil {
		return err
	}
	defer session.Close()
	it := &scenarios.Iter{Rand: rand.New(rand.NewPCG(r.Scenario.Seed, hashOf(what))), Vars: r.vars, Env: r.env}
	it.Reset()
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
		it.Intended = r.now()
		it.Deadline = it.Intended + l.Timeout.D()
		out := scenarios.Outcome{Step: onceStep, Intended: it.Intended, Ready: it.Intended}
		session.Do(it, s.Call, &out)
		if out.Kind != scenarios.OK {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%s: %s", s.Call.Name(), r.why(&out, samples))
		}
	}
	return nil
}

// why says what went wrong with a request that is not measured.
func (r *runner) why(out *scenarios.Outcome, samples *measure.Samples) string {
	why := out.Cause.Name(r.Checks)
	if sm := samples.First(onceStep, out.Cause); sm != nil && sm.Said() != "" {
		why += ": " + sm.Said()
	}
	return why
}

// onceStep stands for the steps of setup and teardown, which are not measured.
const onceStep = -2
