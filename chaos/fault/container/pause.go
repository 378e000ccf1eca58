package container

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/docker"
)

const pauseKind = "container.pause"

// Pause is the fault container.pause. In a pod, an agent stops all processes of the container with SIGSTOP instead of
// the freezer.
type Pause struct {
	selector.Selector `yaml:",inline"`
}

var _ chaos.Fault = (*Pause)(nil)

func (p *Pause) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkContainers(&p.Selector, at, sc, m)
}

func (p *Pause) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return p.Steps(ctx, env, func(t container.Target) (chaos.Step, error) {
		if container.OnNode(env, t) {
			if s, ok, err := env.ByAgent(ctx, t); ok || err != nil {
				return s, err
			}
			return planStopped(t, env.Dry)
		}
		h, err := container.FindHit(ctx, env, t)
		return &pause{Hit: h}, err
	})
}

// pause is the step that pauses one container, and the held fault.
type pause struct {
	container.Hit
	settle time.Duration // of its revert: the engine may carry the order out later
}

func (p *pause) String() string { return "pause " + p.Name() }
func (p *pause) Via() string    { return "freezer" }

func (p *pause) Undo() []chaos.Undo {
	return p.UndoBy(opUnpause, "running", p.Life(), container.EngineArgs{Settle: chaos.RetryEvery})
}

// Inject implements [chaos.Step]. The answer of the engine may be lost with its connection, after it has paused the
// container.
func (p *pause) Inject(ctx context.Context) (chaos.Held, error) {
	if err := p.Container.Still(ctx, p.Was); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	soon, cancel := context.WithTimeout(ctx, container.InspectFor)
	defer cancel()
	err := p.Engine().Pause(soon, p.Was.ID)
	if soon.Err() != nil {
		soon, cancel = context.WithTimeout(ctx, container.InspectFor)
		defer cancel()
		if is, unknown := p.Engine().Inspect(soon, p.Was.ID); unknown == nil && is.Paused {
			err = nil
		}
	}
	if err != nil {
		p.settle = settleFor
	}
	return p, err
}

// Verify implements [chaos.Held]: the container no longer uses a processor, and does not answer, if it can be asked.
func (p *pause) Verify(ctx context.Context) (string, error) {
	pid := p.LocalPID()
	asked, err := container.Still(ctx, p.Target, pid, "it was paused")
	if err != nil {
		return "", err
	}
	evidence := "the engine has paused it"
	if asked {
		evidence = "a request has no answer"
	}
	if pid != 0 {
		evidence += ", and its first process uses no processor"
	}
	is, err := p.Engine().Inspect(ctx, p.Was.ID)
	switch {
	case err != nil:
		return "", err
	case !is.Paused:
		return "", fmt.Errorf("%s is not paused any more", p.Name())
	}
	return fmt.Sprintf("container %s: %s", is.Name, evidence), nil
}

func (p *pause) Traits() chaos.HeldTraits { return chaos.HeldTraits{Ended: p.unpaused} }

// unpaused returns an error if the container is no longer paused.
func (p *pause) unpaused(ctx context.Context) error {
	is, err := p.Engine().Inspect(ctx, p.Was.ID)
	switch {
	case container.IsGone(err):
		return p.EndedBy(ctx, "destroy", "was removed")
	case err != nil: // a failed reading proves nothing
	case !is.Started.Equal(p.Was.Started):
		return chaos.EndedEarlyError{Unit: p.Name(), What: "was started again", At: is.Started}
	case !is.Running:
		return p.EndedBy(ctx, "die", "was killed")
	case !is.Paused:
		return p.EndedBy(ctx, "unpause", "was unpaused")
	}
	return nil
}

func (p *pause) Revert(ctx context.Context) (chaos.Outcome, error) {
	return unpauseContainer(ctx, p.Engine(), p.Life(), p.settle)
}

// Gone implements [chaos.Held]: the container runs, and its readiness check succeeds.
func (p *pause) Gone(ctx context.Context) (string, error) {
	return container.AwaitBack(ctx, p.Target, func() (string, error) {
		is, err := p.Engine().Inspect(ctx, p.Was.ID)
		switch {
		case container.IsGone(err):
			return fmt.Sprintf("container %s is no more", p.Was.Name), nil
		case err != nil:
			return "", err
		case !is.Started.Equal(p.Was.Started):
			return fmt.Sprintf("container %s was started again since", is.Name), nil
		case is.Paused:
			return "", errors.New("it is still paused")
		case !is.Running:
			return fmt.Sprintf("container %s has ended since", is.Name), nil
		}
		return fmt.Sprintf("container %s runs and is ready", is.Name), chaos.ReadySoon(ctx, p.Target)
	})
}

// unpauseContainer resumes a container that brunt paused. It changes nothing if the container was started again since.
// Settle is the time within which an order without an answer may still take effect.
func unpauseContainer(
	ctx context.Context, e *docker.Engine, id container.Identity, settle time.Duration,
) (chaos.Outcome, error) {
	return container.PutBack(ctx, settle, func() (chaos.Outcome, bool, error) {
		is, err := e.Inspect(ctx, id.Container)
		switch {
		case err != nil:
			return chaos.Failed, false, err
		case !is.Started.Equal(id.Started), !is.Running:
			return chaos.Gone, true, nil
		case is.Paused:
			err = e.Unpause(ctx, id.Container)
		}
		return chaos.Reverted, false, err
	})
}

func (*Pause) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: pauseKind, New: func() chaos.Fault { return new(Pause) }, Undo: operations(),
		Example: "{container: web}",
		Effect:  chaos.Hangs,
		Nature: scenarios.Nature{
			Verb:  "frozen",
			Deeds: []scenarios.Deed{scenarios.Down, scenarios.Silent, scenarios.Mute, scenarios.Deaf},
		},
		On:    chaos.OnContainers,
		Agent: &chaos.Rights{Caps: []string{"KILL"}, Signals: true, Nodes: true},
		Doc: "Pauses every process of a container, by the freezer of its engine or, on the node of a pod, by signals: its " +
			"connections stay open, " +
			"and nothing answers on them.",
	}
}
