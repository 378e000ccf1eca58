package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios/quantity"
)

// podSettles is the time beyond its grace within which a pod must have ended.
const podSettles = 10 * time.Second

// end is the step that ends one pod, and the held fault. It is over when another pod in its place is ready.
type end struct {
	unit  *cluster.Pod
	pod   *kube.Pod
	what  string
	grace time.Duration
	order func(ctx context.Context) error

	at     time.Time
	served bool // a service led to the pod before
}

// endSteps makes a step for each unit to hit.
func endSteps(ctx context.Context, env chaos.Env, u *cluster.Units, make func(e *end)) ([]chaos.Step, error) {
	units, err := u.Pods(ctx, env)
	if err != nil {
		return nil, err
	}
	var out []chaos.Step
	for _, u := range units {
		e := &end{unit: u}
		if e.pod, err = u.Now(ctx); err == nil {
			err = cluster.Replaced(e.pod)
		}
		if err != nil {
			return nil, err
		}
		e.grace = cluster.Grace(*e.pod)
		make(e)
		out = append(out, e)
	}
	return out, nil
}

// describe names the pod for people, in dry runs too.
func (e *end) describe() string {
	return fmt.Sprintf("pod %s (%s, on %s, UID %s)", e.pod.Name, e.unit.Name(), e.pod.Spec.NodeName, e.pod.UID)
}

func (e *end) String() string {
	return fmt.Sprintf("%s %s, %s of grace", e.what, e.describe(), quantity.FormatDuration(e.grace))
}

func (e *end) Units() []string  { return []string{e.unit.Name()} }
func (*end) Via() string        { return "api" }
func (*end) Undo() []chaos.Undo { return nil }

func (e *end) Traits() chaos.HeldTraits { return chaos.HeldTraits{Takes: e.grace + podSettles} }

func (e *end) Inject(ctx context.Context) (chaos.Held, error) {
	served, err := e.isServed(ctx)
	if err != nil {
		return nil, err
	}
	e.served, e.at = served, time.Now()
	return e, e.order(context.WithoutCancel(ctx))
}

// isServed reports whether a service leads to the pod.
func (e *end) isServed(ctx context.Context) (bool, error) {
	all, err := kube.Slices(e.unit.Target().Cluster, e.pod.Namespace).List(ctx, kube.Query{})
	for i := range all {
		for _, end := range all[i].Endpoints {
			if end.TargetRef != nil && end.TargetRef.UID == e.pod.UID && end.IsReady() {
				return true, err
			}
		}
	}
	return false, err
}

var errThere = errors.New("the pod is still there")

// isGone checks that the pod no longer exists. Another pod may have its name.
func (e *end) isGone(ctx context.Context) error {
	is, err := kube.Pods(e.unit.Target().Cluster, e.pod.Namespace).Get(ctx, e.pod.Name)
	switch {
	case kube.Is(err, kube.NotFound), err == nil && is.UID != e.pod.UID:
		return nil
	case err != nil:
		return err
	}
	return errThere
}

// Verify implements [chaos.Held]: no service leads to the pod any more, or the pod is gone.
func (e *end) Verify(ctx context.Context) (string, error) {
	return cluster.Until(ctx, func() (string, error) {
		err := e.isGone(ctx)
		if err == nil {
			return fmt.Sprintf("the pod %s is gone after %s", e.pod.Name, e.since()), nil
		}
		if !errors.Is(err, errThere) || !e.served {
			return "", fmt.Errorf("%s: %w", e.unit.Name(), err)
		}
		served, err := e.isServed(ctx)
		if err == nil && served {
			err = fmt.Errorf("%s: services lead to the pod %s still", e.unit.Name(), e.pod.Name)
		}
		return fmt.Sprintf("services lead to the pod %s no more after %s", e.pod.Name, e.since()), err
	})
}

func (e *end) since() string { return quantity.FormatSeconds(time.Since(e.at).Seconds()) }

func (*end) Revert(context.Context) (chaos.Outcome, error) { return chaos.None, nil }

// Gone implements [chaos.Held]: the pod is gone, and another in its place is ready.
func (e *end) Gone(ctx context.Context) (string, error) {
	return cluster.Until(ctx, func() (string, error) {
		if err := e.isGone(ctx); err != nil {
			return "", fmt.Errorf("%s: %w", e.unit.Name(), err)
		}
		now, err := e.unit.Now(ctx)
		if err == nil && !cluster.IsReady(now) {
			err = fmt.Errorf("%s: the pod %s is not ready yet", e.unit.Name(), now.Name)
		}
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s is the pod %s now, ready after %s", e.unit.Name(), now.Name, e.since()), nil
	})
}
