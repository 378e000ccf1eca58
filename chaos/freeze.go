package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"brunt/scenarios/syntax"
)

// Freeze stops a unit's process without ending it: its connections stay open, and
// nothing answers on them.
type Freeze struct {
	Selector `yaml:",inline"`
}

var _ Fault = (*Freeze)(nil)

// Check implements [Fault].
func (f *Freeze) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.check(at, sc, m)
	if !canFreeze {
		m.Add(at, "process.freeze needs Linux or macOS: this system can't stop a process and let it go on")
	}
}

// Plan implements [Fault].
func (f *Freeze) Plan(ctx context.Context, env Env) ([]Step, error) {
	units, err := f.units(ctx, env)
	if err != nil {
		return nil, err
	}
	var steps []Step
	for _, u := range units {
		if c, ok := env.takesHand(u); ok {
			s, err := byHand(ctx, env, u, c)
			if err != nil {
				return nil, err
			}
			steps = append(steps, s)
			continue
		}
		if env.Dry && u.PID() == 0 {
			steps = append(steps, &freeze{unit: u})
			continue
		}
		id, err := runningProcess(u)
		if err != nil {
			return nil, err
		}
		if isStopped(id.PID) {
			return nil, fmt.Errorf("%s (pid %d) is stopped already, and not by brunt", u.Name(), id.PID)
		}
		steps = append(steps, &freeze{unit: u, id: id})
	}
	return steps, nil
}

// freeze is a unit about to be frozen, or frozen.
type freeze struct {
	unit Unit
	id   identity
}

// freezeOperations revert process.freeze.
func freezeOperations() []Operation {
	return []Operation{{Name: opContinue, Do: onProcess(func(_ context.Context, id identity) (Outcome, error) { return continueProcess(id) })}}
}

// opContinue is the undo of a freeze.
const opContinue = "process.continue"

func (f *freeze) String() string {
	if f.id.PID == 0 || f.unit.Name() == pidName(f.id.PID) { // it does not run yet, or has no other name
		return "stop " + f.unit.Name()
	}
	return fmt.Sprintf("stop pid %d of %s", f.id.PID, f.unit.Name())
}

func (f *freeze) Units() []string { return []string{f.unit.Name()} }
func (f *freeze) Via() string     { return "signal" }

// Undo implements [Step].
func (f *freeze) Undo() []Undo {
	return []Undo{{Op: opContinue, Identity: f.id.raw(), Prior: json.RawMessage(`"running"`)}}
}

// Inject implements [Step].
func (f *freeze) Inject(context.Context) (Held, error) {
	if err := signalUnit(f.unit, f.id, "STOP"); err != nil {
		return nil, err
	}
	return f, nil
}

// quiet is how long a frozen process is watched.
const quiet = 50 * time.Millisecond

// Verify implements [Held]: all of the process is stopped, it uses no processor any
// more, and what can be asked does not answer. Where another process answers in its
// stead, such as a child, the unit is not frozen.
func (f *freeze) Verify(ctx context.Context) (string, error) {
	if err := await(ctx, time.Second, func() bool { return allStopped(f.id.PID) }, "it still runs"); err != nil {
		return "", fmt.Errorf("%s is not frozen: %w", f.unit.Name(), err)
	}
	began := time.Now()
	cpu := cpuOf(f.id.PID)
	short, cancel := context.WithTimeout(ctx, 5*quiet)
	defer cancel()
	evidence := "it uses no processor"
	if u, ok := f.unit.(Asker); ok {
		if err := u.Ask(short); err == nil {
			return "", fmt.Errorf("%s answers, though pid %d is stopped, so it is not frozen", f.unit.Name(), f.id.PID)
		}
		evidence = "a request has no answer, and " + evidence
	}
	select {
	case <-time.After(quiet - time.Since(began)):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if cpuOf(f.id.PID) > cpu+1 || !allStopped(f.id.PID) {
		return "", fmt.Errorf("%s (pid %d) goes on running", f.unit.Name(), f.id.PID)
	}
	return fmt.Sprintf("pid %d: %s", f.id.PID, evidence), nil
}

// Revert implements [Held].
func (f *freeze) Revert(context.Context) (Outcome, error) { return continueProcess(f.id) }

// continueProcess lets a process go on that brunt stopped.
//
// subtle: a stop that was sent may not have come into force yet, so that the process
// does not look stopped. SIGCONT takes back that one too, and does nothing to a
// process that runs, as this one did before.
func continueProcess(id identity) (Outcome, error) {
	switch err := signal(id, "CONT"); {
	case errors.Is(err, errEnded):
		return Gone, nil
	case err != nil:
		return Failed, fmt.Errorf("SIGCONT to pid %d: %w", id.PID, err)
	}
	return Reverted, nil
}

// Gone implements [Held]: the process runs, and its readiness check is good.
func (f *freeze) Gone(ctx context.Context) (string, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if !f.id.alive() {
			return fmt.Sprintf("pid %d is no more", f.id.PID), nil
		}
		err := errors.New("it is still stopped")
		if !isStopped(f.id.PID) {
			if err = readySoon(ctx, f.unit); err == nil {
				return fmt.Sprintf("pid %d runs and is ready", f.id.PID), nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%s (pid %d) is not back: %w", f.unit.Name(), f.id.PID, err)
		case <-tick.C:
		}
	}
}
