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
	"brunt/chaos/victim"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// Freeze is the fault process.freeze.
type Freeze struct {
	selector.Selector `yaml:",inline"`
	// the processes that stop: main, the one that the unit was started as, or tree, all of them; zero is tree, and main
	// with pid
	Processes string `yaml:"processes,oneof=main|tree"`
}

var _ chaos.Fault = (*Freeze)(nil)

func (f *Freeze) Traits(sc chaos.Scope) chaos.Traits {
	t := f.Selector.Traits(sc)
	t.Part = f.Processes == victim.Main
	return t
}

func (f *Freeze) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckSelector(at, sc, m)
	checkProcesses(f.Of("processes"), f.Processes, m)
	if !proc.CanFreeze {
		m.Add(at, "process.freeze needs Linux or macOS: this system can't stop a process and let it go on")
	}
}

// checkProcesses refuses a choice of processes on a system on which brunt sees only the main process of a unit.
func checkProcesses(at syntax.Pos, processes string, m *syntax.Mistakes) {
	if processes != "" && runtime.GOOS != "linux" {
		m.Add(at, "`processes` needs Linux: on this system brunt does not find the processes of a unit")
	}
}

func (f *Freeze) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return f.Steps(ctx, env, func(u container.Target) (chaos.Step, error) {
		if s, ok, err := env.ByAgent(ctx, u); ok || err != nil {
			return s, err
		}
		s := &freeze{unit: u, tree: wholeUnit(f.Processes, &f.Selector), note: env.Extend}
		if env.Dry && u.PID() == 0 {
			return s, nil
		}
		id, err := container.RunningProcess(u)
		if err != nil {
			return nil, err
		}
		s.id, s.hit = id, []proc.Process{proc.ProcessOf(id.PID)}
		if s.tree {
			s.hit = victim.Processes(u, id)
		}
		for _, p := range s.hit {
			if proc.IsStopped(p.PID) {
				return nil, fmt.Errorf("%s (pid %d) is stopped already, and not by this run", u.Name(), p.PID)
			}
		}
		return s, nil
	})
}

// freeze is the step that freezes one unit, and the held fault.
type freeze struct {
	unit  container.Target
	id    proc.Identity
	tree  bool           // all processes of the unit stop
	hit   []proc.Process // those that stop, the main one first
	note  func(chaos.Undo) error
	watch *proc.StopWatch
}

// freezeOperations revert process.freeze.
func freezeOperations() []chaos.Operation {
	one := journal.OnProcess(func(_ context.Context, id proc.Identity) (chaos.Outcome, error) {
		return continueProcess(id)
	})
	family := victim.InFamily(func(_ chaos.Undo, pid int) (bool, error) {
		id, err := proc.Identify(pid)
		if err != nil {
			return false, nil // it has ended
		}
		out, err := continueProcess(id)
		return out == chaos.Reverted, err
	})
	return []chaos.Operation{{
		Name: opContinue, OfProcess: true, Find: findStopped,
		Do: func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
			if len(u.Args) > 0 {
				return family(ctx, u)
			}
			return one(ctx, u)
		},
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
			Command: fmt.Sprintf("kill -CONT %d", pid), Undo: undoFreeze(id, false),
		})
	}
	return out, nil
}

// undoFreeze returns the undo that resumes a process. family says that it resumes the descendants too: one may have
// been started just before its parent was stopped.
func undoFreeze(id proc.Identity, family bool) chaos.Undo {
	u := chaos.Undo{Op: opContinue, Identity: id.Raw(), Prior: json.RawMessage(`"running"`)}
	if family {
		u.Args = json.RawMessage(`"tree"`)
	}
	return u
}

// opContinue is the name of the undo of a freeze.
const opContinue = "process.continue"

func (f *freeze) String() string {
	name := f.unit.Name()
	switch own := name == chaos.PIDName(f.id.PID); { // the pid is the name
	case f.tree && len(f.hit) > 1:
		return fmt.Sprintf("stop all %d processes of %s", len(f.hit), name)
	case own || f.tree && f.id.PID == 0:
		return "stop " + name
	case f.id.PID == 0:
		return "stop the main process of " + name
	}
	return fmt.Sprintf("stop pid %d of %s", f.id.PID, name)
}

func (f *freeze) Units() []string { return []string{f.unit.Name()} }
func (f *freeze) Via() string     { return "signal" }

func (f *freeze) Undo() (all []chaos.Undo) {
	if len(f.hit) == 0 { // a dry run: the unit does not run
		return []chaos.Undo{undoFreeze(f.id, f.tree)}
	}
	for _, p := range f.hit {
		all = append(all, undoFreeze(p.Identity(), f.tree))
	}
	return all
}

// generations bounds how often Inject looks for processes that were started meanwhile.
const generations = 10

// Inject implements [chaos.Step].
func (f *freeze) Inject(context.Context) (chaos.Held, error) {
	h, err := f.inject()
	if err == nil {
		var all []proc.Identity
		for _, p := range f.hit {
			all = append(all, p.Identity())
		}
		f.watch = proc.WatchStopped(all)
	}
	return h, err
}

// inject stops the main process first, which then starts no other, and looks again for processes that were started
// before their parent was stopped.
func (f *freeze) inject() (chaos.Held, error) {
	if err := container.SignalUnit(f.unit, f.id, "STOP"); err != nil {
		return nil, err
	}
	if !f.tree {
		return f, nil
	}
	for _, p := range f.hit {
		if err := f.stop(p); err != nil {
			return f, err
		}
	}
	for range generations {
		more := victim.Without(victim.Processes(f.unit, f.id), f.hit)
		if len(more) == 0 {
			return f, nil
		}
		for _, p := range more {
			if f.note != nil { // the undo of its parent resumes it too, unless the parent has ended
				if err := f.note(undoFreeze(p.Identity(), true)); err != nil {
					return f, err
				}
			}
			f.hit = append(f.hit, p)
			if err := f.stop(p); err != nil {
				return f, err
			}
		}
	}
	return f, nil
}

// stop stops one process. A process that has ended is no error.
func (f *freeze) stop(p proc.Process) error {
	if err := proc.Signal(p.Identity(), "STOP"); err != nil && !errors.Is(err, proc.ErrEnded) {
		return fmt.Errorf("SIGSTOP to pid %d of %s: %w", p.PID, f.unit.Name(), err)
	}
	return nil
}

// Verify implements [chaos.Held]: all threads of each process are stopped, and it no longer uses a processor. What the
// unit's own readiness check says meanwhile is the effect, and no part of the proof: another process of the unit may
// answer it.
func (f *freeze) Verify(ctx context.Context) (string, error) {
	running := func() (out []proc.Process) {
		for _, p := range living(f.hit) {
			if !proc.AllStopped(p.PID) {
				out = append(out, p)
			}
		}
		return out
	}
	stopped := func() bool { return len(running()) == 0 }
	if err := proc.Await(ctx, time.Second, stopped, "it goes on running"); err != nil {
		return "", fmt.Errorf("%s is not frozen: %s: %w", f.unit.Name(), proc.List(running()), err)
	}
	if !f.id.Alive() {
		return "", fmt.Errorf("%s: %w", f.unit.Name(), proc.ErrEnded)
	}
	effect, err := f.still(ctx)
	if err == nil && !stopped() {
		err = fmt.Errorf("%s goes on running", proc.List(running()))
	}
	if err != nil {
		return "", fmt.Errorf("%s is not frozen: %w", f.unit.Name(), err)
	}
	others := living(victim.Without(victim.Processes(f.unit, f.id), f.hit))
	hit := victim.Share(living(f.hit), others)
	if hit == "" {
		hit = proc.List(f.hit[:1])
	}
	evidence := "stopped (state T), without use of a processor: " + hit
	if effect != "" {
		evidence += "; " + effect
	}
	if len(others) > 0 && f.tree {
		return evidence, newcomers(f.unit.Name(), others)
	}
	return evidence, nil
}

// newcomers says that a unit runs processes that were started after the others were stopped.
func newcomers(unit string, started []proc.Process) error {
	were := "was"
	if len(started) > 1 {
		were = "were"
	}
	return chaos.NotShownError{What: fmt.Sprintf("that %s stands still: %s %s started meanwhile", unit,
		proc.List(started), were)}
}

// watched is how long the proof of a stopped process watches its use of a processor.
const watched = 50 * time.Millisecond

// still checks that the stopped processes use no processor, while it asks the unit. It returns what the unit answered.
func (f *freeze) still(ctx context.Context) (effect string, err error) {
	hit, before := living(f.hit), map[int]uint64{}
	for _, p := range hit {
		before[p.PID] = proc.CPUOf(p.PID)
	}
	began := time.Now()
	effect = container.Readiness(ctx, f.unit)
	select {
	case <-time.After(watched - time.Since(began)):
	case <-ctx.Done():
		return effect, ctx.Err()
	}
	for _, p := range hit {
		if proc.CPUOf(p.PID) > before[p.PID]+1 {
			return effect, fmt.Errorf("%s uses a processor", proc.List([]proc.Process{p}))
		}
	}
	return effect, nil
}

func (f *freeze) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{Ended: func(context.Context) error { return victim.GoneOn(f.watch, f.unit) }}
}

// Revert implements [chaos.Held].
func (f *freeze) Revert(ctx context.Context) (chaos.Outcome, error) {
	f.watch.Close()
	if !f.tree {
		return continueProcess(f.id)
	}
	return chaos.OperationsOf(freezeOperations()).Revert(ctx, f.Undo())
}

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
		for _, p := range living(f.hit) {
			if proc.IsStopped(p.PID) {
				return "", fmt.Errorf("pid %d is still stopped", p.PID)
			}
		}
		switch left := living(f.hit); {
		case !f.id.Alive():
			return fmt.Sprintf("pid %d is no more", f.id.PID), nil
		case len(left) > 1:
			return proc.List(left) + " run, and the unit is ready", chaos.ReadySoon(ctx, f.unit)
		}
		return fmt.Sprintf("pid %d runs and is ready", f.id.PID), chaos.ReadySoon(ctx, f.unit)
	})
}

func (*Freeze) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "process.freeze", New: func() chaos.Fault { return new(Freeze) },
		Example: "{service: web, pick: one}",
		Effect:  chaos.Hangs,
		Nature: scenarios.Nature{
			Verb:  "frozen",
			Deeds: []scenarios.Deed{scenarios.Down, scenarios.Silent, scenarios.Mute, scenarios.Deaf},
		},
		On: chaos.OnProcesses, Where: "not on Windows",
		Agent:      &chaos.Rights{Caps: []string{"KILL"}, Signals: true},
		Undo:       freezeOperations(),
		Capability: freezeCapability,
		Doc: "Stops the processes of a unit, or its main process, without ending them: their connections stay open, and " +
			"nothing answers on them.",
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
