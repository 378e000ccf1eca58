package platform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/scenarios/syntax"

	"brunt/scenarios/quantity"
)

// An Instance is one unit on its platform.
type Instance interface {
	// Addr returns the host:port at which this machine reaches the unit. It is empty if the unit does not listen. It
	// survives restarts.
	Addr() string
	// Ref returns the name of the unit on its platform, such as the id of a container. It is empty if the platform
	// has no name for it.
	Ref() string
	// Start starts the unit. It does not wait until it is ready.
	Start(ctx context.Context) error
	// Running returns why something else would answer a readiness check, or nil if the unit would.
	Running() error
	// Check runs the readiness check once.
	Check(ctx context.Context) error
	// Failed returns why the unit will never become ready. It is empty if the unit still may.
	Failed(ctx context.Context) string
	// Output returns the end of what the unit wrote, and how its last process ended, if that is known.
	Output(ctx context.Context) (end string, exit error)
	// Remove ends the unit permanently. It can be called again.
	Remove(ctx context.Context) error
}

// A Unit is one replica of a service.
type Unit struct {
	Service string
	Index   int

	spec     *Service
	instance Instance
	pace     *Pace
	event    func(event, unit, text string)
}

// NewUnit returns the unit of an instance. event is called when the unit is ready.
func NewUnit(s *Service, index int, i Instance, event func(event, unit, text string)) *Unit {
	return &Unit{Service: s.Name, Index: index, spec: s, instance: i, pace: NewPace(), event: event}
}

// Name returns service[i].
func (u *Unit) Name() string { return syntax.UnitName(u.Service, u.Index) }

// Addr returns the host:port at which this machine reaches the unit. It is empty if the unit does not listen. It
// survives restarts.
func (u *Unit) Addr() string { return u.instance.Addr() }

// Ref returns the name of the unit on its platform, such as the id of a container. It is empty if the platform has no
// name for it.
func (u *Unit) Ref() string { return u.instance.Ref() }

// Asks reports whether the unit can be asked for an answer, because it listens on a port.
func (u *Unit) Asks() bool { return u.Addr() != "" }

// Ask requests an answer that only a running process can give. Nil means that some answer arrived.
func (u *Unit) Ask(ctx context.Context) error { return ask(ctx, u.Addr(), u.spec.Ready) }

// Ready runs the unit's readiness check once, like a client would. It does not matter whether its process runs. If
// the check runs a command, it waits for its turn by [Pace].
func (u *Unit) Ready(ctx context.Context) error {
	err := u.instance.Check(ctx)
	if asks := u.spec.Ready.Asks; err == nil && asks != nil {
		if u.spec.Ready.Runs {
			if err := u.pace.Wait(ctx); err != nil {
				return err
			}
		}
		return asks(ctx, u.Name(), u.Addr(), u.Ref())
	}
	return err
}

// checkEvery is the time between two readiness checks.
const checkEvery = 20 * time.Millisecond

// AwaitReady waits until the unit passes its readiness check, within the time limit of the check.
func (u *Unit) AwaitReady(ctx context.Context) error {
	within := u.spec.Ready.WithinOr()
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	last := errors.New("its readiness check has no answer yet")
	late := notice{time.Now(), func(err error) {
		u.event("unit.waiting", u.Name(), fmt.Sprintf("is not ready yet, up to %s: %v", quantity.FormatDuration(within), err))
	}}
	for {
		err := u.instance.Running()
		if err == nil {
			err = u.Ready(limited)
		}
		if err == nil {
			u.event("unit.ready", u.Name(), "")
			return nil
		}
		if limited.Err() == nil { // keep the last failure instead of the timeout
			last = err
			late.failed(err)
		}
		why := u.instance.Failed(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case why != "":
			return u.unready(ctx, why)
		case limited.Err() != nil:
			return u.unready(ctx, fmt.Sprintf("not within %s: %v", quantity.FormatDuration(within), last))
		}
		select {
		case <-limited.Done():
		case <-time.After(checkEvery):
		}
	}
}

// unready returns an error that says why a unit is not ready, with the end of its output.
func (u *Unit) unready(ctx context.Context, why string) error {
	end, exit := u.instance.Output(ctx)
	if exit != nil {
		why += fmt.Sprintf(" (%v)", exit)
	}
	if end = LastLines(end); end != "" {
		return fmt.Errorf("%s is not ready: %s; its output ends:\n%s", u.Name(), why, end)
	}
	return fmt.Errorf("%s is not ready: %s; it wrote nothing", u.Name(), why)
}
