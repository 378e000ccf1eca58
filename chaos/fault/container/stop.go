package container

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/chaos/selector"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/docker"
)

// Kill is the fault container.kill. A restart policy sees process.crash as a crash, and this as an order.
type Kill struct {
	selector.Selector `yaml:",inline"`
	Signal            string `yaml:"signal"` // without SIG; zero is KILL
}

// Stop is the fault container.stop.
type Stop struct {
	selector.Selector `yaml:",inline"`
	Grace             *quantity.Duration `yaml:"grace"` // between its stop signal and SIGKILL, in whole seconds; nil is 5s
}

// Restart is the fault container.restart.
type Restart struct {
	selector.Selector `yaml:",inline"`
	Grace             *quantity.Duration `yaml:"grace"` // between its stop signal and SIGKILL, in whole seconds; nil is 5s
}

var (
	_ chaos.Fault = (*Kill)(nil)
	_ chaos.Fault = (*Stop)(nil)
	_ chaos.Fault = (*Restart)(nil)
)

// Traits implements [chaos.Fault].
func (r *Restart) Traits(sc chaos.Scope) chaos.Traits {
	t := r.Selector.Traits(sc)
	t.OneShot = true
	return t
}

// Check implements [Fault].
func (k *Kill) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkContainers(&k.Selector, at, sc, m)
	CheckSignal(k.Of("signal"), k.signal(), "container", "container.pause stops a container, and lets it go on", m)
}

func (k *Kill) signal() string { return cmp.Or(k.Signal, "KILL") }

// Check implements [Fault].
func (s *Stop) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkContainers(&s.Selector, at, sc, m)
}

// Check implements [Fault].
func (r *Restart) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkContainers(&r.Selector, at, sc, m)
}

// checkContainers checks the selector of a fault on containers against the target.
func checkContainers(s *selector.Selector, at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	before := m.Len()
	s.CheckSelector(at, sc, m)
	switch {
	case m.Len() > before:
	case s.PID != 0:
		m.AddHint(s.Of("pid"), "process.freeze and process.crash are for processes", "a process is no container")
	case s.Query().IsZero() && !sc.Containers && !sc.Found[s.Service] && !sc.Found[chaos.ServiceOf(s.Unit)]:
		m.AddHint(at, "process.stop, process.crash and process.freeze are for processes", "%s is no container: the target's services are processes of this machine",
			s.Matching())
	}
}

// killed is how long a killed container may take to be down.
const killed = 5 * time.Second

// Plan implements [Fault].
func (k *Kill) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return k.Steps(ctx, env, func(t container.Target) (chaos.Step, error) {
		return planDown(ctx, env, t, &down{
			what: fmt.Sprintf("kill %s with SIG%s, and keep it down", t.Name(), k.signal()), takes: killed,
			order: func(ctx context.Context, e *docker.Engine, id string) error { return e.Kill(ctx, id, k.signal()) },
		})
	})
}

// Plan implements [Fault].
func (s *Stop) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return s.Steps(ctx, env, func(t container.Target) (chaos.Step, error) { return StopStep(ctx, env, t, GraceOf(s.Grace)) })
}

// Plan implements [Fault].
func (r *Restart) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return r.Steps(ctx, env, func(t container.Target) (chaos.Step, error) { return RestartStep(ctx, env, t, GraceOf(r.Grace)) })
}

// StopStep plans to stop a container in good order and to keep it down.
func StopStep(ctx context.Context, env chaos.Env, t container.Target, grace time.Duration) (chaos.Step, error) {
	return planDown(ctx, env, t, &down{
		what: fmt.Sprintf("stop %s, %s of grace, and keep it down", t.Name(), quantity.FormatDuration(grace)), takes: grace + killed,
		order: func(ctx context.Context, e *docker.Engine, id string) error { return e.Stop(ctx, id, grace) },
	})
}

// RestartStep plans to stop a container in good order and to start it again at once.
func RestartStep(ctx context.Context, env chaos.Env, t container.Target, grace time.Duration) (chaos.Step, error) {
	return planDown(ctx, env, t, &down{
		what: fmt.Sprintf("restart %s, %s of grace", t.Name(), quantity.FormatDuration(grace)), takes: grace + killed, again: true,
		order: func(ctx context.Context, e *docker.Engine, id string) error { return e.Restart(ctx, id, grace) },
	})
}

// planDown finds the container that a step takes down.
func planDown(ctx context.Context, env chaos.Env, t container.Target, d *down) (chaos.Step, error) {
	var err error
	if d.hit, err = find(ctx, env, t); err == nil && d.was.Removed && !d.again {
		err = fmt.Errorf("%s is removed by the engine once it has ended (--rm), with its volumes, so it could not be started again", d.Name())
	}
	return d, err
}

// down is the step that takes one container down, and the held fault.
type down struct {
	hit
	what  string
	order func(ctx context.Context, e *docker.Engine, id string) error
	takes time.Duration // until it is down
	again bool          // start it again at once

	at     time.Time
	done   chan error // result of the order
	theirs bool       // it ran again since, and was stopped by something else
}

func (d *down) String() string { return d.what }
func (d *down) Via() string    { return "engine" }

// Traits implements [chaos.Held].
func (d *down) Traits() chaos.HeldTraits { return chaos.HeldTraits{Takes: d.takes} }

// Undo implements [Step].
func (d *down) Undo() []chaos.Undo {
	if d.again {
		return nil // the engine starts it again even if brunt dies
	}
	return d.undo(opStart, "running", d.id(), container.EngineArgs{Settle: d.takes})
}

// Inject implements [Step]. The container takes its time to end; Verify waits for that.
func (d *down) Inject(ctx context.Context) (chaos.Held, error) {
	if err := d.Container.Still(ctx, d.was); err != nil {
		return nil, err
	}
	d.at, d.done = time.Now(), make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.takes+container.InspectFor)
	go func() {
		defer cancel()
		d.done <- d.order(ctx, d.engine(), d.was.ID)
	}()
	return d, nil
}

// settle waits until the order has finished.
func (d *down) settle(ctx context.Context) error {
	select {
	case err := <-d.done:
		d.done <- err // for the next call
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Verify implements [Held]: the life of the container is over, and where it is to stay
// down nothing answers.
func (d *down) Verify(ctx context.Context) (string, error) {
	if err := d.settle(ctx); err != nil {
		return "", fmt.Errorf("%s: %w", d.Name(), err)
	}
	is, err := d.engine().Inspect(ctx, d.was.ID)
	for err == nil && is.Running && is.Started.Equal(d.was.Started) {
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%s still runs", d.Name())
		case <-time.After(10 * time.Millisecond):
		}
		is, err = d.engine().Inspect(ctx, d.was.ID)
	}
	if err != nil {
		return "", err
	}
	took := quantity.FormatSeconds(time.Since(d.at).Seconds())
	if d.again {
		if is.Started.Equal(d.was.Started) {
			return "", fmt.Errorf("%s has not been started again", d.Name())
		}
		return fmt.Sprintf("container %s was started again after %s", is.Name, took), nil
	}
	if is.Running {
		return "", fmt.Errorf("%s runs again already, and brunt did not start it", d.Name())
	}
	if d.was.PID != 0 && d.engine().Address().Local() && docker.Self() == "" {
		if id, err := proc.Identify(d.was.PID); err == nil && id.Alive() && !proc.IsZombie(d.was.PID) {
			return "", fmt.Errorf("pid %d of %s still runs", d.was.PID, d.Name())
		}
	}
	short, cancel := context.WithTimeout(ctx, container.NoAnswerIn) // an address without a host gives no answer, not a refusal
	defer cancel()
	if err := d.Ready(short); err == nil {
		return "", fmt.Errorf("%s still answers its readiness check", d.Name())
	}
	return fmt.Sprintf("container %s ended after %s with exit code %d, and nothing answers", is.Name, took, is.Exit), nil
}

// Revert implements [Held].
func (d *down) Revert(ctx context.Context) (chaos.Outcome, error) {
	if err := d.settle(ctx); err != nil && ctx.Err() != nil {
		return chaos.Failed, err
	}
	if d.again {
		return chaos.None, nil
	}
	out, err := startContainer(ctx, d.engine(), d.id(), 0)
	d.theirs = err == nil && out == chaos.Gone
	return out, err
}

// Gone implements [Held]: the container runs another life, and is ready.
func (d *down) Gone(ctx context.Context) (string, error) {
	return container.AwaitBack(ctx, d.Target, func() (string, error) {
		is, err := d.engine().Inspect(ctx, d.was.ID)
		switch {
		case container.IsGone(err):
			return fmt.Sprintf("container %s is no more", d.was.Name), nil
		case err != nil:
			return "", err
		case d.theirs:
			return fmt.Sprintf("container %s ran again since, and what became of it is not brunt's", is.Name), nil
		case is.Running && is.Started.Equal(d.was.Started):
			return "", errors.New("it has not been started again")
		}
		if err = is.Healthy(); err == nil {
			err = d.Ready(ctx)
		}
		return fmt.Sprintf("container %s runs again and is ready after %s", is.Name, quantity.FormatSeconds(time.Since(d.at).Seconds())), err
	})
}

// startContainer starts a container that brunt has taken down. It changes nothing if the container was started
// since, or never ended. Settle is how long an order of a dead brunt may still take to take effect.
func startContainer(ctx context.Context, e *docker.Engine, id container.Identity, settle time.Duration) (chaos.Outcome, error) {
	return putBack(ctx, settle, func() (chaos.Outcome, bool, error) {
		is, err := e.Inspect(ctx, id.Container)
		switch {
		case err != nil:
			return chaos.Failed, false, err
		case !is.Running && !is.Started.Equal(id.Started):
			return chaos.Gone, true, nil // it ran again since, and brunt did not take it down
		case !is.Running:
			return chaos.Reverted, true, e.Start(ctx, id.Container)
		}
		return chaos.Reverted, !is.Started.Equal(id.Started), nil // else it has not ended yet
	})
}

// Describe implements [chaos.Described].
func (*Kill) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "container.kill", New: func() chaos.Fault { return new(Kill) }, Undo: operations(),
		On:  chaos.OnContainers,
		Doc: "Kills a container by a signal and keeps it down, whatever its restart policy, until the fault ends.",
	}
}

// Describe implements [chaos.Described].
func (*Stop) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "container.stop", New: func() chaos.Fault { return new(Stop) }, Undo: operations(),
		On:  chaos.OnContainers,
		Doc: "Stops a container in good order and keeps it down until the fault ends.",
	}
}

// Describe implements [chaos.Described].
func (*Restart) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "container.restart", New: func() chaos.Fault { return new(Restart) },
		On:  chaos.OnContainers,
		Doc: "Stops a container in good order and starts it again at once.",
	}
}
