package container

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/scenarios/quantity"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// killed is the time within which a killed container must be down.
const killed = 5 * time.Second

// KillStep plans to kill a container with a signal and to keep it down.
func KillStep(ctx context.Context, env chaos.Env, t Target, signal string) (chaos.Step, error) {
	return planDown(ctx, env, t, &down{
		what: fmt.Sprintf("kill %s with SIG%s, and keep it down", t.Name(), signal), takes: killed,
		order: func(ctx context.Context, e *docker.Engine, id string) error { return e.Kill(ctx, id, signal) },
	})
}

// StopStep plans to stop a container in good order and to keep it down.
func StopStep(ctx context.Context, env chaos.Env, t Target, grace time.Duration) (chaos.Step, error) {
	what := fmt.Sprintf("stop %s, %s of grace, and keep it down", t.Name(), quantity.FormatDuration(grace))
	if grace == 0 {
		what = fmt.Sprintf("send SIGKILL to %s, and keep it down", t.Name())
	}
	return planDown(ctx, env, t, &down{
		what:  what,
		takes: grace + killed,
		order: func(ctx context.Context, e *docker.Engine, id string) error { return e.Stop(ctx, id, grace) },
	})
}

// RestartStep plans to stop a container in good order and to start it again at once.
func RestartStep(ctx context.Context, env chaos.Env, t Target, grace time.Duration) (chaos.Step, error) {
	return planDown(ctx, env, t, &down{
		what: fmt.Sprintf("restart %s, %s of grace", t.Name(), quantity.FormatDuration(grace)), takes: grace + killed,
		again: true,
		order: func(ctx context.Context, e *docker.Engine, id string) error { return e.Restart(ctx, id, grace) },
	})
}

// planDown finds the container that a step takes down.
func planDown(ctx context.Context, env chaos.Env, t Target, d *down) (chaos.Step, error) {
	var err error
	if d.Hit, err = FindHit(ctx, env, t); err == nil && d.Was.Removed && !d.again {
		err = fmt.Errorf("%s is removed by the engine once it has ended (--rm), with its volumes, so it could not be "+
			"started again", d.Name())
	}
	return d, err
}

// down is the step that takes one container down, and the held fault.
type down struct {
	Hit
	what  string
	order func(ctx context.Context, e *docker.Engine, id string) error
	takes time.Duration // until it is down
	again bool          // start it again at once

	at     time.Time
	done   chan error // result of the request
	theirs bool       // it ran again since, and something else has stopped it
}

func (d *down) String() string { return d.what }

func (d *down) Via() string { return "engine" }

func (d *down) Traits() chaos.HeldTraits {
	t := chaos.HeldTraits{Takes: d.takes}
	if !d.again {
		t.Ended = d.started
	}
	return t
}

// started returns an error if something else has started the container again.
func (d *down) started(ctx context.Context) error {
	is, err := d.Engine().Inspect(ctx, d.Was.ID)
	if err != nil || is.Started.Equal(d.Was.Started) {
		return nil // a container that is no more is down too
	}
	return chaos.EndedEarlyError{Unit: d.Name(), What: "was started again", At: is.Started}
}

func (d *down) Undo() []chaos.Undo {
	if d.again {
		return nil // the engine starts it again even if brunt dies
	}
	return d.UndoBy(opStart, "running", d.Life(), EngineArgs{Settle: d.takes})
}

// Inject implements [chaos.Step]. It does not wait until the container has ended; Verify does.
func (d *down) Inject(ctx context.Context) (chaos.Held, error) {
	if err := d.Container.Still(ctx, d.Was); err != nil {
		return nil, err
	}
	d.at, d.done = time.Now(), make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.takes+InspectFor)
	go func() {
		defer cancel()
		d.done <- d.order(ctx, d.Engine(), d.Was.ID)
	}()
	return d, nil
}

// settle waits until the request has finished.
func (d *down) settle(ctx context.Context) error {
	select {
	case err := <-d.done:
		d.done <- err // for the next call
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ended waits until the container has ended. An event of the engine tells so too, as an engine on a busy machine
// answers late. Of a container that is started again at once, the engine is only asked.
func (d *down) ended(ctx context.Context) (containers.Container, error) {
	if d.again {
		return d.askEnded(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		is  containers.Container
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		is, err := d.askEnded(ctx)
		answers <- answer{is, err}
	}()
	for {
		if exit, ok := d.Engine().Ended(d.Was.ID, d.Was.Started); ok {
			is := d.Was
			is.Running, is.Exit = false, exit
			return is, nil
		}
		select {
		case a := <-answers:
			return a.is, a.err
		case <-time.After(checkEvery):
		}
	}
}

// askEnded asks the engine until the container has ended.
func (d *down) askEnded(ctx context.Context) (containers.Container, error) {
	if err := d.settle(ctx); err != nil {
		return d.Was, fmt.Errorf("%s: %w", d.Name(), err)
	}
	for {
		is, err := d.Engine().Inspect(ctx, d.Was.ID)
		if err != nil || !is.Running || !is.Started.Equal(d.Was.Started) {
			return is, err
		}
		select {
		case <-ctx.Done():
			return is, fmt.Errorf("%s still runs", d.Name())
		case <-time.After(checkEvery):
		}
	}
}

// Verify implements [chaos.Held]: the container has ended, and if it is to stay down, nothing answers.
func (d *down) Verify(ctx context.Context) (string, error) {
	is, err := d.ended(ctx)
	if err != nil {
		return "", err
	}
	took := quantity.FormatSeconds(time.Since(d.at).Seconds())
	if d.again {
		if is.Started.Equal(d.Was.Started) {
			return "", fmt.Errorf("%s has not been started again", d.Name())
		}
		return fmt.Sprintf("container %s was started again after %s", is.Name, took), nil
	}
	if is.Running {
		return "", fmt.Errorf("%s runs again already, and brunt did not start it", d.Name())
	}
	if d.Was.PID != 0 && d.Engine().Address().Local() && containers.Self() == "" {
		if id, err := proc.Identify(d.Was.PID); err == nil && id.Alive() && !proc.IsZombie(d.Was.PID) {
			return "", fmt.Errorf("pid %d of %s still runs", d.Was.PID, d.Name())
		}
	}
	short, cancel := context.WithTimeout(ctx, NoAnswerIn) // an address without a host gives no answer, not a refusal
	defer cancel()
	if err := d.Ready(short); err == nil {
		return "", fmt.Errorf("%s still answers its readiness check", d.Name())
	}
	return fmt.Sprintf("container %s ended after %s with exit code %d, and nothing answers", is.Name, took, is.Exit), nil
}

func (d *down) Revert(ctx context.Context) (chaos.Outcome, error) {
	if err := d.settle(ctx); err != nil && ctx.Err() != nil {
		return chaos.Failed, err
	}
	if d.again {
		return chaos.None, nil
	}
	out, err := startContainer(ctx, d.Engine(), d.Life(), 0)
	d.theirs = err == nil && out == chaos.Gone
	return out, err
}

// Gone implements [chaos.Held]: the container was started again, and is ready.
func (d *down) Gone(ctx context.Context) (string, error) {
	return AwaitBack(ctx, d.Target, func() (string, error) {
		is, err := d.Engine().Inspect(ctx, d.Was.ID)
		switch {
		case IsGone(err):
			return fmt.Sprintf("container %s is no more", d.Was.Name), nil
		case err != nil:
			return "", err
		case d.theirs:
			return fmt.Sprintf("container %s was started by something else since; brunt leaves it", is.Name), nil
		case is.Running && is.Started.Equal(d.Was.Started):
			return "", errors.New("it has not been started again")
		}
		if err = is.Healthy(); err == nil {
			err = d.Ready(ctx)
		}
		if err != nil {
			return "", chaos.NotReadyError{Unit: d.Name(), Why: err}
		}
		return fmt.Sprintf("container %s runs again and is ready after %s", is.Name,
			quantity.FormatSeconds(time.Since(d.at).Seconds())), nil
	})
}

// startContainer starts a container that brunt has taken down. It changes nothing if the container was started since,
// or never ended. Settle is the time within which an order of a dead brunt may still take effect.
func startContainer(ctx context.Context, e *docker.Engine, id Identity, settle time.Duration) (chaos.Outcome, error) {
	return PutBack(ctx, settle, func() (chaos.Outcome, bool, error) {
		is, err := e.Inspect(ctx, id.Container)
		switch {
		case err != nil:
			return chaos.Failed, false, err
		case !is.Running && !is.Started.Equal(id.Started):
			return chaos.Gone, true, nil // it ran again since, and brunt did not take it down
		case !is.Running:
			return chaos.Reverted, true, e.Start(ctx, id.Container)
		}
		return chaos.Reverted, !is.Started.Equal(id.Started), nil // otherwise it has not ended yet
	})
}

// opStart starts a container that was killed or stopped.
const opStart = "docker.start"

// StartOperation reverts the steps of this package that keep a container down.
func StartOperation() chaos.Operation {
	return chaos.Operation{
		Name: opStart, ByEngine: true,
		Do: OnContainer(func(ctx context.Context, e *docker.Engine, id Identity,
			args EngineArgs,
		) (chaos.Outcome, error) {
			return startContainer(ctx, e, id, args.Settle)
		}), Find: findDown,
	}
}

// findDown finds the containers that a signal ended although their policy restarts them: the engine does not restart a
// container that was killed or stopped by a request. A container without a policy may end like that normally.
func findDown(_ context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	const bySignal = 128 // an exit code above it is this number plus the signal
	var out []chaos.Remnant
	for i := range s.Containers {
		c := &s.Containers[i]
		if c.State != "exited" || c.Started.IsZero() || c.Exit <= bySignal && !c.Supervised() {
			continue
		}
		out = append(out, chaos.Remnant{
			Run: c.Labels[containers.RunLabel], What: fmt.Sprintf("container %s is down, with exit code %d", c.Name, c.Exit),
			Why:     "container.kill, container.stop and process.stop leave no mark on a container; anyone may have ended it",
			Command: "docker start " + c.Name,
			Undo: chaos.Undo{
				Op: opStart, Identity: RawOf(Identity{Container: c.ID, Started: c.Started}),
				Args: RawOf(EngineArgs{Engine: s.Engine.Address()}), Prior: RawOf("running"),
			},
		})
	}
	return out, nil
}
