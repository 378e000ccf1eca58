package container

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos"
)

// A Target is a unit that a fault hits, resolved once: when the fault is planned.
type Target struct {
	chaos.Unit
	// Contained is the unit, with the network of its container; nil means that the unit is in no container.
	Contained chaos.Contained
	// Container is the container of an engine that the unit is; nil means that no engine runs the unit.
	Container *Container
}

// Another reports whether a unit is in another container than was, or was restarted since, so that the network and the
// processes of that container are no more. The error is a [chaos.ErrNoAnswer]: the engine does not say, so it is not
// known.
func (t Target) Another(was chaos.ContainerID) (bool, error) {
	if t.Container == nil {
		return t.Contained.ContainerID() != was, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), InspectFor)
	defer cancel()
	is, err := t.Container.Engine.Inspect(ctx, t.Container.Ref)
	switch {
	case IsGone(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("%w: whether %s is the container that it was is not known: %w", chaos.ErrNoAnswer, t.Name(),
			err)
	}
	return chaos.ContainerAt(is.ID, is.Started) != was, nil
}

// engineBack is how long [Target.AwaitAnother] waits for an engine that does not answer, such as one that is restarted.
const engineBack = 10 * time.Second

// AwaitAnother is like Another, and asks again for a while if the engine does not answer.
func (t Target) AwaitAnother(ctx context.Context, was chaos.ContainerID) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, engineBack)
	defer cancel()
	for {
		other, err := t.Another(was)
		if err == nil {
			return other, nil
		}
		select {
		case <-ctx.Done():
			return false, err
		case <-time.After(chaos.RetryEvery):
		}
	}
}

// Resolve returns the target of a unit.
func Resolve(u chaos.Unit) Target {
	contained := u.Traits().Contained
	c, _ := contained.(*Container)
	return Target{u, contained, c}
}

// ResolveAll returns the targets of units.
func ResolveAll(units []chaos.Unit) []Target {
	var out []Target
	for _, u := range units {
		out = append(out, Resolve(u))
	}
	return out
}
