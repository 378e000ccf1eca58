package selector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
)

// A pidUnit is a unit that brunt did not start: a process given by its number.
type pidUnit struct{ proc.Identity }

func processUnit(pid int) (chaos.Unit, error) {
	id, err := proc.Identify(pid)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", chaos.ErrNoUnit, err)
	}
	return pidUnit{id}, nil
}

func (p pidUnit) Name() string { return chaos.PIDName(p.Identity.PID) }

func (p pidUnit) Service() string { return "" }

func (p pidUnit) PID() int {
	if !p.Alive() {
		return 0
	}
	return p.Identity.PID
}

func (p pidUnit) Ready(context.Context) error {
	if p.Ended() {
		return errors.New("it has ended")
	}
	return nil
}

func (p pidUnit) Supervised() bool { return false }

// ErrNotStarted says that a process given by its pid cannot be started again.
var ErrNotStarted = errors.New("brunt did not start it, so it can't start it again")

func (p pidUnit) Stop(ctx context.Context, grace time.Duration) error {
	if grace > 0 {
		if err := proc.Signal(p.Identity, "TERM"); err != nil {
			return err
		}
		if proc.Await(ctx, grace, p.Ended, "") == nil {
			return nil
		}
	}
	if err := proc.Signal(p.Identity, "KILL"); err != nil && !errors.Is(err, proc.ErrEnded) {
		return err
	}
	return proc.Await(ctx, proc.EndsWithin, p.Ended, "it does not end")
}

func (p pidUnit) Start(context.Context) error { return ErrNotStarted }

func (p pidUnit) Traits() chaos.UnitTraits { return chaos.UnitTraits{} }
