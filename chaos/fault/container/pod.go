package container

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/container"
	"brunt/chaos/selector"
	"brunt/scenarios/quantity"
)

// downTraits returns the traits of a fault that keeps a container down. For that, the API of a cluster changes the pod.
func downTraits(s *selector.Selector, sc chaos.Scope) chaos.Traits {
	t := s.Traits(sc)
	if sc.Cluster != nil && s.Query().IsZero() {
		t.Rights = append(t.Rights, cluster.Right(sc, "patch", "", "pods"))
	}
	return t
}

// onNode plans for the container of a pod. It runs in brunt, or in the agent on the pod's node.
func (k *Kill) onNode(ctx context.Context, env chaos.Env, t container.Target) (chaos.Step, error) {
	d, pod, err := planDown(ctx, env, t, fmt.Sprintf("send SIG%s to", k.signal()), "", 0)
	if err != nil || !pod {
		return container.EndStep(t, k.signal(), 0), err
	}
	if k.signal() == "KILL" { // with another signal, the node could first end it in good order
		env.Kind, env.Fault = pauseKind, &Pause{Selector: k.Selector}
		d.first, _, err = env.ByAgent(ctx, t)
	}
	return d, err
}

// onNode plans for the container of a pod. It runs in brunt, or in the agent on the pod's node. The node itself sends
// the stop signal.
func (s *Stop) onNode(ctx context.Context, env chaos.Env, t container.Target) (chaos.Step, error) {
	grace := max(container.GraceOf(s.Grace), time.Millisecond)
	d, pod, err := planDown(ctx, env, t, "stop", fmt.Sprintf(", %s of grace,", quantity.FormatDuration(grace)), grace)
	if err != nil || !pod {
		return container.EndStep(t, "", grace), err
	}
	return d, nil
}

// planDown plans to keep the container of a pod down. ok is false in the agent.
func planDown(
	ctx context.Context, env chaos.Env, t container.Target, what, how string, grace time.Duration,
) (d *podDown, ok bool, err error) {
	p, ok := cluster.Of(t.Unit)
	if !ok {
		return nil, false, nil
	}
	pod, err := p.Now(ctx)
	if err != nil {
		return nil, true, err
	}
	name, err := p.Container(pod)
	if err != nil {
		return nil, true, err
	}
	d = &podDown{Change: p.Down(pod, env.Run, name)}
	d.Takes += grace
	d.What = fmt.Sprintf("%s the container %s of pod %s (%s, on %s, UID %s)%s and keep it down: its image gets a name "+
		"that can't be started",
		what, name, pod.Name, p.Name(), pod.Spec.NodeName, pod.UID, how)
	d.ends, ok, err = env.ByAgent(ctx, t)
	if err == nil && !ok {
		err = fmt.Errorf("%s: no agent may end it", t.Name())
	}
	return d, true, err
}

// podDown is the step that keeps the container of a pod down, and the held fault. The agent on the node ends the
// container, and the cluster keeps it down:
//
//	agent: SIGSTOP (kill only) --> API: another image --> agent: the signal, or SIGKILL after the grace
//
// A process that SIGSTOP stopped can't end in good order. If the API refuses the change, it is continued.
type podDown struct {
	*cluster.Change
	first chaos.Step // SIGSTOP; nil: none
	ends  chaos.Step

	paused, ended chaos.Held
	endErr        error
}

func (d *podDown) Via() string { return "api, " + d.ends.Via() }

func (d *podDown) Undo() []chaos.Undo {
	out := d.Change.Undo()
	if d.first != nil {
		out = append(out, d.first.Undo()...)
	}
	return out
}

func (d *podDown) Inject(ctx context.Context) (chaos.Held, error) {
	var err error
	if d.first != nil {
		if d.paused, err = d.first.Inject(ctx); err != nil {
			return d.heldIf(d.paused != nil), err
		}
	}
	if held, err := d.Change.Inject(ctx); err != nil {
		if held == nil && d.paused != nil {
			if _, rerr := d.paused.Revert(context.WithoutCancel(ctx)); rerr != nil {
				return d, chaos.JoinErrors(err, rerr)
			}
		}
		return d.heldIf(held != nil), err
	}
	d.ended, d.endErr = d.ends.Inject(ctx) // an error is kept for Verify: the node may have ended the container before
	return d, nil
}

func (d *podDown) heldIf(in bool) chaos.Held {
	if !in {
		return nil
	}
	return d
}

func (d *podDown) Verify(ctx context.Context) (string, error) {
	text, err := d.Change.Verify(ctx)
	if err != nil {
		return "", chaos.JoinErrors(err, d.endErr)
	}
	return text, nil
}

func (d *podDown) Revert(ctx context.Context) (chaos.Outcome, error) {
	out, err := d.Change.Revert(ctx)
	if d.paused != nil {
		_, perr := d.paused.Revert(ctx)
		err = chaos.JoinErrors(err, perr)
	}
	if err != nil {
		out = chaos.Failed
	}
	return out, err
}
