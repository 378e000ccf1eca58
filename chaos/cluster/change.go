package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/kube"
)

// A Change is the step that changes values of an object until the fault ends, and the held fault. The object itself
// carries the prior values.
type Change struct {
	Target *Target
	Run    string
	What   string   // describes it in a sentence
	Hits   []string // the units, and the node
	Object kube.Ref
	UID    string // of the object
	Edits  []kube.Edit
	// Also is called after the values are changed. It must be safe to repeat: Verify calls it again. Nil means that
	// there is nothing to call.
	Also func(ctx context.Context) error
	// Takes is the time that the effect may need besides the usual.
	Takes time.Duration
	// Effect proves the effect, and Over its end. Both are called until they return no error.
	Effect, Over func(ctx context.Context) (string, error)

	left string // values that something else has changed since, which the revert left alone
}

var (
	_ chaos.Step = (*Change)(nil)
	_ chaos.Held = (*Change)(nil)
)

// JSON encodes a value of an edit.
func JSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // numbers, texts and maps of texts cannot fail
	}
	return b
}

func (c *Change) String() string { return c.What }

func (c *Change) Units() []string { return c.Hits }

// UnitOf names the unit if the change is of its pod, and thus ends with it. A change of a workload or a node outlives
// the pods.
func (c *Change) UnitOf() string {
	if c.Object.Resource == "pods" && len(c.Hits) == 1 {
		return c.Hits[0]
	}
	return ""
}

func (*Change) Via() string { return "api" }

func (c *Change) mark() kube.Mark { return kube.Mark{Run: c.Run, Edits: c.Edits} }

func (c *Change) Undo() []chaos.Undo {
	return []chaos.Undo{undoOf(c.Target.Place, c.Object, c.UID, c.mark())}
}

func (c *Change) Inject(ctx context.Context) (chaos.Held, error) {
	ctx = context.WithoutCancel(ctx)
	if err := changes(c.Object, c.Target.Place.Namespace, c.mark()); err != nil { // its watchdog would not take it back
		return nil, err
	}
	err := c.Target.Edit(ctx, c.Object, c.UID, c.mark())
	switch {
	case kube.Away(err): // the change may have been made
		return c, err
	case err != nil:
		return nil, err
	case c.Also == nil:
		return c, nil
	}
	return c, c.Also(ctx)
}

func (c *Change) Verify(ctx context.Context) (string, error) {
	return Until(ctx, func() (string, error) {
		if c.Also != nil {
			if err := c.Also(ctx); err != nil {
				return "", err
			}
		}
		return c.Effect(ctx)
	})
}

func (c *Change) Traits() chaos.HeldTraits { return chaos.HeldTraits{Takes: c.Takes, Ended: c.ended} }

// ended returns an error if something else has changed the values, or the object no longer exists.
func (c *Change) ended(ctx context.Context) error {
	o, err := kube.Like(c.Target.Cluster, c.Object).Get(ctx, c.Object.Name)
	switch {
	case kube.Is(err, kube.NotFound), err == nil && o.Text("metadata", "uid") != c.UID:
		return fmt.Errorf("%s is no more, and not by this run", c.Object)
	case err != nil: // a failed reading proves nothing; the revert reads it again
		return nil
	}
	if err := c.mark().Stands(*o); err != nil {
		return fmt.Errorf("%s: %w", c.Object, err)
	}
	return nil
}

func (c *Change) Revert(ctx context.Context) (chaos.Outcome, error) {
	out, theirs, err := takeBack(ctx, c.Target.Cluster, c.Object, c.UID, c.mark(), false)
	if len(theirs) > 0 {
		c.left = strings.Join(theirs, ", ")
	}
	return out, err
}

// Gone implements [chaos.Held]. If the object has its prior values, and the cluster does not do what they say in time,
// the fault is off, and the error is a [chaos.NotReadyError].
func (c *Change) Gone(ctx context.Context) (string, error) {
	if c.left != "" {
		return fmt.Sprintf("%s: %s; brunt leaves it", c.Object, c.left), nil
	}
	began, back := time.Now(), false // back: the object has its prior values
	text, err := Until(ctx, func() (string, error) {
		o, err := kube.Like(c.Target.Cluster, c.Object).Get(ctx, c.Object.Name)
		switch {
		case kube.Is(err, kube.NotFound), err == nil && o.Text("metadata", "uid") != c.UID:
			return fmt.Sprintf("%s is no more", c.Object), nil
		case err != nil:
			return "", errors.Join(chaos.ErrNoAnswer, err)
		case c.mark().Stands(*o) == nil:
			return "", fmt.Errorf("%s is as the fault has set it still", c.Object)
		}
		back = true
		return c.Over(ctx)
	})
	switch {
	case err == nil, !back, errors.Is(err, chaos.ErrNoAnswer):
		return text, err
	case kube.Away(err):
		return "", errors.Join(chaos.ErrNoAnswer, err)
	}
	return "", chaos.NotReadyError{Unit: strings.Join(c.Hits, ", "), Why: err}.Waited(time.Since(began))
}
