package guard

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/fault/custom"
	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/disk"
	"brunt/scenarios/load"
	"brunt/scenarios/plan"
	"brunt/scenarios/template"
	"brunt/targets"
)

// Operations returns the undo operations that journals may name, for a process that knows the protocols.
func Operations() chaos.Operations {
	all := catalog.AllOperations()
	all[custom.OpCall] = custom.CallOperation(makes)
	return all
}

// makes runs steps that a journal keeps.
func makes(ctx context.Context, raw json.RawMessage) error {
	var k kept
	if err := json.Unmarshal(raw, &k); err != nil {
		return fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
	}
	p, err := k.compile()
	if err != nil {
		return err
	}
	it, steps, err := k.iteration(p)
	if err != nil {
		return err
	}
	if err := errors.Join(it.Run(ctx, steps), it.Close()); err != nil {
		return errors.New(p.Scenario.Secrets.Mask(err.Error()))
	}
	return nil
}

// place returns where the user wrote the steps, for messages. Line numbers in messages refer to the journal's copy,
// so messages show its lines.
func (k *kept) place() string {
	return filepath.Join(k.Dir, cmp.Or(k.From, "the scenario")) + " (its `revert`, as the journal keeps it)"
}

// mostFile is the maximum size of a file that the steps name, in bytes.
const mostFile = 64 << 20

// compile compiles the scenario of the steps.
func (k *kept) compile() (*plan.Plan, error) {
	file := k.place()
	sc, err := scenarios.Parse(file, scenarios.Options{Read: func(path string) ([]byte, error) {
		if path == file {
			return []byte(k.Text), nil
		}
		return disk.Read(path, mostFile)
	}})
	if err != nil {
		return nil, err
	}
	return plan.Compile(sc, plan.CompileOptions{Unjudged: true})
}

// iteration prepares the steps.
func (k *kept) iteration(p *plan.Plan) (*Iteration, []load.Step, error) {
	within, err := allow.Of(k.Allow, scenarios.FaultsBeyond)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
	}
	sc, l, steps, began := p.Scenario, p.SetupLoad(), p.Loads[0].Flows[0].Steps, time.Now()
	now := func() time.Duration { return time.Since(began) }
	env := &template.Env{
		Units: map[string]string{}, Now: now, Secrets: sc.Secrets, Hidden: sc.Symbols.Secret(),
		Salt: [2]uint64{rand.Uint64(), rand.Uint64()},
	}
	base, _ := sc.Target.URL.Static()
	return &Iteration{
		Protocols: p.Protocols, Calls: load.Calls(steps), Mask: sc.Secrets.Mask, Causes: p.Causes(), Now: now,
		Seed: [2]uint64{rand.Uint64(), rand.Uint64()}, Vars: make([]template.Value, len(sc.Symbols.Vars())), Env: env,
		Target: targets.Options{
			Base: base, Endpoints: p.Endpoints(env), TLS: sc.Target.TLS, Connections: l.Connections, Resolve: l.Resolve,
			Proxies: p.ProxiesOf(l),
			Timeout: k.Timeout, T0: began, Agent: "brunt",
			Allow: within,
		},
	}, steps, nil
}
