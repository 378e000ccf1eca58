package victim

import (
	"context"
	"errors"
	"testing"

	"brunt/chaos"
)

// partStep is a step whose injection changes a part, and fails.
type partStep struct {
	chaos.Step
	chaos.Held
	reverted int
	fails    error
}

func (*partStep) String() string     { return "part" }
func (*partStep) Undo() []chaos.Undo { return nil }

func (s *partStep) Inject(context.Context) (chaos.Held, error) { return s, s.fails }

func (s *partStep) Revert(context.Context) (chaos.Outcome, error) {
	s.reverted++
	return chaos.Reverted, nil
}

// TestReinjected_Part: the part that a failed second injection has changed is reverted too.
func TestReinjected_Part(t *testing.T) {
	first, second := &partStep{}, &partStep{fails: errors.New("no more")}
	r := &reinjected{Step: first, container: "c", again: func(context.Context) (chaos.Step, error) { return second, nil }}
	h, err := r.Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.onRestart(t.Context(), "c"); !errors.Is(err, chaos.ErrRestarted) || !errors.Is(err, second.fails) {
		t.Error(err)
	}
	if _, err := h.Revert(t.Context()); err != nil || second.reverted != 1 {
		t.Errorf("%v; the second is reverted %d times", err, second.reverted)
	}
}
