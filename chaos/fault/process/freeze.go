package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/chaos/selector"
	"brunt/scenarios/syntax"
)

// Freeze is the fault process.freeze.
type Freeze struct {
	selector.Selector `yaml:",inline"`
}

var _ chaos.Fault = (*Freeze)(nil)

func (f *Freeze) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckSelector(at, sc, m)
	if !proc.CanFreeze {
		m.Add(at, "process.freeze needs Linux or macOS: this system can't stop a process and let it go on")
	}
}

func (f *Freeze) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return f.Steps(ctx, env, func(u container.Target) (chaos.Step, error) {
		if s, ok, err := env.ByAgent(ctx, u); ok || err != nil {
			return s, err
		}
		if env.Dry && u.PID() == 0 {
			return &freeze{unit: u}, nil
		}
		id, err := container.RunningProcess(u)
		if err != nil {
			return nil, err
		}
		if proc.IsStopped(id.PID) {
			return nil, fmt.Errorf("%s (pid %d) is stopped already, and not by this run", u.Name(), id.PID)
		}
		return &freeze{unit: u, id: id}, nil
	})
}

// freeze is the step that freezes one unit, and the held fault.
type freeze struct {
	unit container.Target
	id   proc.Identity
}

// freezeOperations revert process.freeze.
func freezeOperations() []chaos.Operation {
	return []chaos.Operation{{
		Name: opContinue,
		Do: journal.OnProcess(func(_ context.Context, id proc.Identity) (chaos.Outcome,
			error,
		) {
			return continueProcess(id)
		}), Find: findStopped,
	}}
}

// findStopped finds the processes that are stopped. A shell stops processes too.
func findStopped(_ context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	var out []chaos.Remnant
	for _, pid := range s.PIDs {
		id, err := proc.Identify(pid)
		if err != nil || !proc.IsStopped(pid) {
			continue
		}
		out = append(out, chaos.Remnant{
			PID: pid, What: fmt.Sprintf("process %d (%s) is stopped", pid, proc.ProcessOf(pid).Name),
			Why:     "process.freeze stops a process and leaves no mark on it; a shell or a debugger stops one too",
			Command: fmt.Sprintf("kill -CONT %d", pid), Undo: undoFreeze(id),
		})
	}
	return out, nil
}

// undoFreeze returns the undo that resumes a process.
func undoFreeze(id proc.Identity) chaos.Undo {
	return chaos.Undo{Op: opContinue, Identity: id.Raw(), Prior: json.RawMessage(`"running"`)}
}

// opContinue is the name of the undo of a freeze.
const opContinue = "process.continue"

func (f *freeze) String() string {
	// the unit does not run yet, or has only its PID as its name
	if f.id.PID == 0 || f.unit.Name() == chaos.PIDName(f.id.PID) {
		return "stop " + f.unit.Name()
	}
	return fmt.Sprintf("stop pid %d of %s", f.id.PID, f.unit.Name())
}

func (f *freeze) Units() []string { return []string{f.unit.Name()} }
func (f *freeze) Via() string     { return "signal" }

func (f *freeze) Undo() []chaos.Undo {
	return []chaos.Undo{undoFreeze(f.id)}
}

func (f *freeze) Inject(context.Context) (chaos.Held, error) {
	if err := container.SignalUnit(f.unit, f.id, "STOP"); err != nil {
		return nil, err
	}
	return f, nil
}

// Verify implements [chaos.Held]: all threads of the process are stopped, it no longer uses a processor, and the unit
// does not answer, if it can be asked. If another process answers in its stead, such as a child, the unit is not
// frozen.
func (f *freeze) Verify(ctx context.Context) (string, error) {
	if err := proc.Await(ctx, time.Second, func() bool { return proc.AllStopped(f.id.PID) }, "it still runs"); err != nil {
		return "", fmt.Errorf("%s is not frozen: %w", f.unit.Name(), err)
	}
	asked, err := container.Still(ctx, f.unit, f.id.PID, chaos.PIDName(f.id.PID)+" is stopped")
	switch {
	case err != nil:
		return "", err
	case !proc.AllStopped(f.id.PID):
		return "", fmt.Errorf("%s (pid %d) goes on running", f.unit.Name(), f.id.PID)
	}
	evidence := "it uses no processor"
	if asked {
		evidence = "a request has no answer, and " + evidence
	}
	return fmt.Sprintf("pid %d: %s", f.id.PID, evidence), nil
}

func (*freeze) Traits() chaos.HeldTraits { return chaos.HeldTraits{} }

func (f *freeze) Revert(context.Context) (chaos.Outcome, error) { return continueProcess(f.id) }

// continueProcess resumes a process that brunt stopped.
//
// subtle: a stop signal may not have taken effect yet, so that the process does not look stopped. SIGCONT cancels
// that signal too, and does nothing to a process that runs, as this one did before.
func continueProcess(id proc.Identity) (chaos.Outcome, error) {
	switch err := proc.Signal(id, "CONT"); {
	case errors.Is(err, proc.ErrEnded):
		return chaos.Gone, nil
	case err != nil:
		return chaos.Failed, fmt.Errorf("SIGCONT to pid %d: %w", id.PID, err)
	}
	return chaos.Reverted, nil
}

// Gone implements [chaos.Held]: the process runs, and its readiness check succeeds.
func (f *freeze) Gone(ctx context.Context) (string, error) {
	return container.AwaitBack(ctx, f.unit, func() (string, error) {
		switch {
		case !f.id.Alive():
			return fmt.Sprintf("pid %d is no more", f.id.PID), nil
		case proc.IsStopped(f.id.PID):
			return "", fmt.Errorf("pid %d is still stopped", f.id.PID)
		}
		return fmt.Sprintf("pid %d runs and is ready", f.id.PID), chaos.ReadySoon(ctx, f.unit)
	})
}

func (*Freeze) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "process.freeze", New: func() chaos.Fault { return new(Freeze) },
		Example: "{service: web, pick: one}",
		Effect:  chaos.Hangs,
		On:      chaos.OnProcesses, Where: "not on Windows",
		Agent:      &chaos.Rights{Caps: []string{"KILL"}, Signals: true},
		Undo:       freezeOperations(),
		Capability: freezeCapability,
		Doc:        "Stops a unit's process without ending it: its connections stay open, and nothing answers on them.",
	}
}

// freezeCapability tells whether process.freeze works here.
func freezeCapability() chaos.Capability {
	c := chaos.Capability{Fault: "process.freeze", Via: "signals"}
	if runtime.GOOS == "windows" {
		c.Err, c.Fix = errors.New("this system can't stop a process and let it go on"), "run the drill on Linux or macOS"
		c.Required = true
	}
	return c
}
