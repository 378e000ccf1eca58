package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// process is a unit that brunt did not start: a process given by its number.
type process struct{ identity }

func processUnit(pid int) (Unit, error) {
	if err := protect(pid); err != nil {
		return nil, err
	}
	id, err := identify(pid)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoUnit, err)
	}
	return process{id}, nil
}

func (p process) Name() string { return pidName(p.identity.PID) }

func (p process) Service() string { return "" }

func (p process) PID() int {
	if !p.alive() {
		return 0
	}
	return p.identity.PID
}

func (p process) Ready(context.Context) error {
	if !p.alive() {
		return errors.New("it has ended")
	}
	return nil
}

func (p process) Supervised() bool { return false }

var errNotStarted = errors.New("brunt did not start it, so it can't start it again")

func (p process) Stop(ctx context.Context, grace time.Duration) error {
	if err := signal(p.identity, "TERM"); err != nil {
		return err
	}
	ended := func() bool { return !p.alive() }
	if await(ctx, grace, ended, "") == nil {
		return nil
	}
	if err := signal(p.identity, "KILL"); err != nil && !errors.Is(err, errEnded) {
		return err
	}
	return await(ctx, endsWithin, ended, "it does not end")
}

func (p process) Start(context.Context) error { return errNotStarted }
