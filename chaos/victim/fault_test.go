package victim

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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
	r := &reinjected{Step: first, restarts: "c", again: func(context.Context) (chaos.Step, error) { return second, nil }}
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

// restarting is a unit whose process another one replaces.
type restarting struct {
	chaos.Unit
	pid atomic.Int32
}

func (*restarting) Name() string { return "web[0]" }
func (u *restarting) PID() int   { return int(u.pid.Load()) }

// provenStep is a step whose proof succeeds or fails.
type provenStep struct {
	partStep
	proof error
}

func (s *provenStep) Inject(context.Context) (chaos.Held, error) { return s, nil }
func (s *provenStep) Verify(context.Context) (string, error)     { return "seen", s.proof }
func (s *provenStep) Traits() chaos.HeldTraits                   { return chaos.HeldTraits{} }

// endsSoon makes the unit have no process from half a second on.
func (u *restarting) endsSoon() { time.AfterFunc(500*time.Millisecond, func() { u.pid.Store(0) }) }

// TestReinjected_EndsFirst: the first process of a fault ends before its proof, so the effect on it is not shown.
func TestReinjected_EndsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &restarting{}
		u.pid.Store(1)
		r := &reinjected{Step: &provenStep{proof: errors.New("no process is there")}, restarts: "web[0]", unit: u, in: 1}
		h, err := r.Inject(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		u.endsSoon()
		if _, err := h.Verify(t.Context()); !errors.As(err, new(chaos.NotShownError)) {
			t.Errorf("the proof of a process that has ended: %v", err)
		}
	})
}

// TestReinjected_Process: a fault follows the process of a unit. It is over if nothing injects it into the process that
// was started, and goes on while the unit has none.
func TestReinjected_Process(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, fails := &restarting{}, errors.New("no more")
		u.pid.Store(1)
		again := &provenStep{proof: fails}
		r := &reinjected{
			Step: &provenStep{}, restarts: "web[0]", unit: u, in: 1,
		}
		h, err := r.Inject(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ended := func() string { return fmt.Sprint(h.Traits().Ended(t.Context())) }
		restarted := func(of string) string {
			said, err := h.Traits().OnRestart(t.Context(), of)
			return fmt.Sprint(said, " ", err)
		}
		for _, c := range []struct {
			name, want string
			do         func() string
			pid        int32
		}{
			{name: "its first process", do: ended, pid: 1, want: "<nil>"},
			{name: "a start that it knows", do: func() string { return restarted("web[0]") }, pid: 1, want: " <nil>"},
			{name: "no process", do: ended, pid: 0, want: "<nil>"},
			{name: "a new process", do: ended, pid: 2, want: chaos.ErrRestarted.Error()},
			{name: "another unit", do: func() string { return restarted("web[1]") }, pid: 2, want: " <nil>"},
			{
				name: "it ends again meanwhile", pid: 2, want: " <nil>", do: func() string {
					r.again = func(context.Context) (chaos.Step, error) { u.pid.Store(0); return nil, fails }
					return restarted("web[0]")
				},
			},
			{
				name: "its supervisor names it for a while after its end", pid: 2, want: " <nil>", do: func() string {
					r.again = func(context.Context) (chaos.Step, error) { u.endsSoon(); return nil, fails }
					return restarted("web[0]")
				},
			},
			{name: "it has ended before", do: func() string { return restarted("web[0]") }, pid: 0, want: " <nil>"},
			{
				name: "asked while it is injected", pid: 2, want: " <nil>", do: func() string {
					r.again = func(context.Context) (chaos.Step, error) {
						if got := ended(); got != "<nil>" {
							t.Errorf("while it is injected: %s", got)
						}
						u.pid.Store(0)
						return nil, fails
					}
					return restarted("web[0]")
				},
			},
			{
				name: "injected again", pid: 3, want: "part <nil>", do: func() string {
					r.again = func(context.Context) (chaos.Step, error) { return again, nil }
					return restarted("web[0]")
				},
			},
			{name: "the process that has it", do: ended, pid: 3, want: "<nil>"},
		} {
			u.pid.Store(c.pid)
			if got := c.do(); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
		if _, err := h.Verify(t.Context()); !errors.Is(err, fails) {
			t.Errorf("the proof of a process that runs: %v", err)
		}
		u.endsSoon()
		if _, err := h.Verify(t.Context()); !errors.As(err, new(chaos.NotShownError)) {
			t.Errorf("the proof of a process that has ended: %v", err)
		}
	})
}
