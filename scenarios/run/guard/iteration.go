// An iteration runs steps that are not measured, such as those of setup, at the target.
//
//	steps of one part --Run--> Iteration --one client, one session--> target
//	steps of the next --Run-->     '--variables, random values and data rows stay
//
// An [Iteration] is a single iteration however many parts it has, so that a command between two requests does not
// change the requests. A part begins when the part before has ended, because a command may prepare data that its
// requests need.

package guard

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/template"
	"brunt/targets"
)

// An Iteration runs steps with one client and one session, which its first request opens. Its steps extract into Vars.
type Iteration struct {
	Protocols *targets.Set
	Calls     []scenarios.Call // calls of all parts
	Target    targets.Options  // Timeout is that of a request; Sampler is set by the iteration
	Mask      func(string) string
	Causes    scenarios.Causes // names of the causes for steps that did not pass
	Now       func() time.Duration
	Seed      [2]uint64
	Vars      []template.Value
	Env       *template.Env

	bound   bool // the calls are bound: another iteration has done it
	client  targets.Client
	session targets.Session
	samples *samples.Set
	it      template.Iter
	step    int32 // number of the part: -2, -3 and so on, which no step of a load has
}

// Run runs the steps of a part, and ends at the first failure. For a step that was answered but did not pass, the
// error is a [chaos.NotPassedError].
func (i *Iteration) Run(ctx context.Context, steps []load.Step) error {
	if err := i.open(); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, i.client.Abort)()
	if !i.bound {
		if err := i.Protocols.Select(load.Calls(steps)...).Bind(ctx, i.client); err != nil {
			return err
		}
	}
	if i.session == nil {
		session, err := i.client.Open(0)
		if err != nil {
			return err
		}
		i.session = session
	}
	i.step--
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
		if err := i.request(s.Call); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
	}
	return nil
}

// open creates the client before the first part.
func (i *Iteration) open() (err error) {
	if i.client != nil {
		return nil
	}
	i.samples, i.step = &samples.Set{Mask: i.Mask}, -1
	if i.Env != nil {
		i.samples.Learn = i.Env.Secrets.Learn
	}
	i.Target.Sampler = i.samples
	i.it = template.Iter{Rand: rand.New(rand.NewPCG(i.Seed[0], i.Seed[1])), Vars: i.Vars, Env: i.Env}
	i.it.Reset()
	i.client, err = i.Protocols.Select(i.Calls...).Client(i.Target)
	return err
}

// request makes a request; its error says how it failed.
func (i *Iteration) request(call scenarios.Call) error {
	i.it.Intended = i.Now()
	i.it.Deadline = i.it.Intended + i.Target.Timeout
	out := scenarios.Outcome{Step: i.step, Intended: i.it.Intended, Ready: i.it.Intended}
	i.session.Do(&i.it, call, &out)
	if out.Kind == scenarios.OK {
		return nil
	}
	said := call.Name() + ": " + i.Causes.Name(out.Cause)
	if sm := i.samples.First(i.step, out.Cause); sm != nil && sm.Said() != "" {
		said += ": " + sm.Said()
	}
	if out.Kind == scenarios.Shed || out.Cause.OfAnswer() {
		return &chaos.NotPassedError{Said: said}
	}
	return errors.New(said)
}

// Close closes the client and the session.
func (i *Iteration) Close() error {
	if i.client == nil {
		return nil
	}
	var errs []error
	if i.session != nil {
		if end := i.Protocols.Select(i.Calls...).Ender(); end != nil {
			end(i.session, &i.it)
		}
		errs = append(errs, i.session.Close())
	}
	return errors.Join(append(errs, i.client.Close())...)
}
