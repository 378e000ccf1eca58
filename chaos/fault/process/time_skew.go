// time.skew rewrites the code by which the processes of a unit read the time of day: see package vdso.

package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/chaos/stress"
	"brunt/chaos/vdso"
	"brunt/chaos/victim"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// TimeSkew is the fault time.skew. A process that the unit starts later has the machine's clock, unless it is forked
// and does not execute another program.
type TimeSkew struct {
	victim.Fault `yaml:",inline"`
	// the processes whose clock is shifted: main, the one that the unit was started as, or tree, all of them; zero is
	// tree
	Processes string `yaml:"processes,oneof=main|tree"`
	Offset    Offset `yaml:"offset,required"` // how far the clock is ahead, or with a minus behind: -1h, 90s, 250ms
}

var _ chaos.Fault = (*TimeSkew)(nil)

// Offset is a duration with a sign: 90s, -1h.
type Offset time.Duration

func (o *Offset) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s, ok := n.Text(m)
	if !ok {
		return
	}
	s = strings.TrimSpace(s)
	rest, back := strings.CutPrefix(s, "-")
	if !back {
		rest = strings.TrimPrefix(s, "+")
	}
	d, err := quantity.ParseDuration(rest)
	switch {
	case err != nil && strings.HasPrefix(rest, "-"):
		m.Add(n.Pos, "want an offset such as 90s or -1h, not %q", s)
	case err != nil:
		m.Add(n.Pos, "%s", err)
	case d == 0:
		m.Add(n.Pos, "an offset of nothing leaves the clock as it is")
	}
	if back {
		d = -d
	}
	*o = Offset(d)
}

// String formats the offset as a scenario spells it.
func (o Offset) String() string { return quantity.FormatDuration(time.Duration(o)) }

func (t *TimeSkew) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	t.CheckSelector(at, sc, m)
	checkProcesses(t.Of("processes"), t.Processes, m)
	if err := vdso.Works(); err != nil {
		m.Add(at, "time.skew can't be done here: %s", err)
	}
}

func (t *TimeSkew) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return t.Each(ctx, env, func(v victim.Victim) victim.Planned {
		return &timeSkew{
			Victim: v, offset: time.Duration(t.Offset), burn: victim.StressorsOf(env.Host), alone: t.Processes == victim.Main,
		}
	})
}

// timeSkew is the step that shifts the clock of one unit, and the held fault.
type timeSkew struct {
	victim.Victim
	offset time.Duration
	burn   victim.Stressors
	alone  bool // the main process alone
	patch  vdso.Patch
	family []proc.Process // the processes to shift, the main one first
}

// clockOperations revert time.skew.
func clockOperations() []chaos.Operation {
	restore := victim.InFamily(restoreClock)
	return []chaos.Operation{{
		Name: opClock, Exclusive: true, OfProcess: true, Find: findShifted,
		Do: func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
			resumeFamily(u)
			return restore(ctx, u)
		},
	}}
}

// resumeFamily resumes a process and its descendants: a brunt that died may have left any of them stopped.
//
// subtle: a process that was stopped between vfork(2) and execve(2) keeps its parent waiting in the kernel, where
// nothing can stop it to change its code. So all of them are resumed before the first one is changed.
func resumeFamily(u chaos.Undo) {
	var id proc.Identity
	if json.Unmarshal(u.Identity, &id) != nil || !id.Alive() {
		return
	}
	for _, pid := range proc.Family(id.PID) {
		vdso.Resume(pid)
	}
}

// opClock is the name of the undo of a shifted clock.
const opClock = "clock.back"

// Plan finds the processes of the unit, and the code to write into them. The kernel gives all of them the same code.
func (t *timeSkew) Plan() error {
	given, err := vdso.Image(os.Getpid())
	if err != nil {
		return err
	}
	if t.patch, err = vdso.Of(given, t.offset); err != nil {
		return err
	}
	all := victim.Processes(t.Unit, t.ID)
	if t.alone && len(all) > 1 {
		all = all[:1]
	}
	for _, p := range all {
		pid := p.PID
		image, err := vdso.Image(pid)
		switch {
		case err != nil && !p.Identity().Alive():
			continue
		case err != nil:
			return fmt.Errorf("%s, pid %d: %w", t.Unit.Name(), pid, err)
		case len(image) != len(given) && pid != t.ID.PID: // Verify names it
			continue
		case len(image) != len(given):
			return fmt.Errorf("%s, pid %d: its architecture differs from brunt's", t.Unit.Name(), pid)
		case proc.IsStopped(pid):
			return fmt.Errorf("%s, pid %d: another program has stopped it", t.Unit.Name(), pid)
		case !bytes.Equal(image, given):
			return fmt.Errorf("%s, pid %d: another program has changed the code that reads the clock", t.Unit.Name(), pid)
		}
		t.family = append(t.family, p)
	}
	if len(t.family) == 0 {
		return fmt.Errorf("%s: %w", t.Victim, proc.ErrEnded)
	}
	return nil
}

func (t *timeSkew) String() string {
	return fmt.Sprintf("set the clock of %s %s", t.Victim, offText(t.offset))
}

// offText formats the offset of a clock, for people.
func offText(d time.Duration) string {
	if d < 0 {
		return "back by " + quantity.FormatDuration(-d)
	}
	return "ahead by " + quantity.FormatDuration(d)
}

func (*timeSkew) Via() string { return "vDSO" }

func (t *timeSkew) Undo() []chaos.Undo {
	var out []chaos.Undo
	args, _ := json.Marshal(t.patch)
	if len(t.family) == 0 { // a dry run: the unit does not run
		return []chaos.Undo{{Op: opClock, Args: args, Identity: t.ID.Raw()}}
	}
	for _, p := range t.family {
		out = append(out, chaos.Undo{Op: opClock, Args: args, Identity: p.Identity().Raw()})
	}
	return out
}

func (t *timeSkew) Inject(ctx context.Context) (chaos.Held, error) {
	for _, p := range t.family {
		id := p.Identity()
		if !id.Alive() {
			continue
		}
		was, err := vdso.Apply(id.PID, t.patch)
		if err == nil && was == vdso.Foreign {
			err = errors.New("the code that it reads the clock by has been changed by another program")
		}
		if err != nil && id.Alive() {
			return t, fmt.Errorf("%s, pid %d: %w", t.Unit.Name(), id.PID, err) // the caller reverts what is done
		}
		t.Point("clock written")
	}
	if !t.ID.Alive() {
		return t, proc.ErrEnded // the caller sets the clocks of the others right
	}
	return t, nil
}

// closeBy is the most that a clock may differ from the expected time, beyond the time that reading it takes.
const closeBy = 10 * time.Millisecond

// off returns the offset of the clock of the unit's first process. A child of brunt reads the clock with the code that
// is in that process.
func (t *timeSkew) off(ctx context.Context) (time.Duration, bool, error) {
	before := time.Now()
	b, err := t.burn.Start(stress.Config{}, stress.Job{Clock: &stress.Clock{PID: t.ID.PID}})
	if err != nil {
		return 0, false, err
	}
	defer b.Stop()
	r, err := b.First(ctx)
	if err != nil {
		return 0, false, err
	}
	after := time.Now()
	off := func(want time.Duration) bool {
		return !r.Now.Before(before.Round(0).Add(want-closeBy)) && !r.Now.After(after.Round(0).Add(want+closeBy))
	}
	if off(t.offset) {
		return t.offset, true, nil
	}
	if off(0) {
		return 0, false, nil
	}
	return r.Now.Sub(after.Round(0)), false, nil
}

func (t *timeSkew) Verify(ctx context.Context) (string, error) {
	// Another process of the family may have executed another program since, which has the machine's clock.
	if yes, err := t.shifted(proc.Process{PID: t.ID.PID}); t.ID.Alive() && !yes {
		return "", chaos.JoinErrors(fmt.Errorf("%w on pid %d of %s: its clock is the machine's", chaos.ErrNoEffect, t.ID.PID,
			t.Unit.Name()), err)
	}
	off, yes, err := t.off(ctx)
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the clock of %s: %w", t.Unit.Name(), err)
	case !yes:
		return "", fmt.Errorf("%w: the clock of %s is %s", chaos.ErrNoEffect, t.Unit.Name(), offText(off))
	}
	hit, others := t.parts(ctx)
	which := victim.Share(hit, others)
	if which == "" {
		which = proc.List(hit)
	}
	evidence := fmt.Sprintf("its clock, read by its own code, is %s: %s", offText(off), which)
	if what := t.lacking(others); what != "" {
		return evidence, chaos.NotShownError{What: what}
	}
	return evidence, nil
}

// parts returns the processes of the unit whose clock is shifted, and its other ones. It looks at no more of them once
// the context ends.
func (t *timeSkew) parts(ctx context.Context) (hit, others []proc.Process) {
	for _, p := range victim.Processes(t.Unit, t.ID) {
		if ctx.Err() != nil {
			break
		}
		switch yes, err := t.shifted(p); {
		case yes:
			hit = append(hit, p)
		case err == nil || p.Identity().Alive():
			others = append(others, p)
		}
	}
	return hit, others
}

// lacking says which processes have the machine's clock although the fault is meant for them; empty: none.
func (t *timeSkew) lacking(others []proc.Process) string {
	if len(others) == 0 || t.alone {
		return ""
	}
	return "a shifted clock in " + proc.List(others) + ": of another architecture, or its program was started since"
}

// shifted reports whether a process reads the clock by the changed code.
func (t *timeSkew) shifted(p proc.Process) (bool, error) {
	state, err := vdso.StateOf(p.PID, t.patch)
	return err == nil && state == vdso.Patched, err
}

func (t *timeSkew) Traits() chaos.HeldTraits { return chaos.HeldTraits{Ended: t.back, Lacks: t.lacks} }

// lacks says which processes of the unit have the machine's clock by now, such as those that it has started since the
// proof. If all of them have it, the fault has ended early, which [timeSkew.back] tells.
func (t *timeSkew) lacks(ctx context.Context) string {
	if !t.ID.Alive() {
		return ""
	}
	hit, others := t.parts(ctx)
	if len(hit) == 0 {
		return ""
	}
	return t.lacking(others)
}

// back returns an error if the clock of the unit's main process is the machine's again.
func (t *timeSkew) back(context.Context) error {
	if yes, err := t.shifted(proc.Process{PID: t.ID.PID}); yes || err != nil || !t.ID.Alive() {
		return nil // a failed reading proves nothing
	}
	return chaos.EndedEarlyError{Unit: t.Unit.Name(), What: "got the machine's clock back"}
}

// Revert implements [chaos.Held]. A process that is stopped, perhaps by another fault, stays stopped.
func (t *timeSkew) Revert(context.Context) (chaos.Outcome, error) {
	out, errs := chaos.Gone, []error{}
	for _, p := range t.family {
		o, err := victim.EachOf(p.Identity(), func(pid int) (bool, error) {
			was, err := vdso.Restore(pid, t.patch)
			return was != vdso.Foreign, err
		})
		if o != chaos.Gone {
			out = o
		}
		errs = append(errs, err)
	}
	if err := chaos.JoinErrors(errs...); err != nil {
		return chaos.Failed, err
	}
	return out, nil
}

// restoreClock restores the clock code of a process and resumes the process: brunt may have died while the
// process was stopped for the change.
func restoreClock(u chaos.Undo, pid int) (done bool, err error) {
	var p vdso.Patch
	if err := json.Unmarshal(u.Args, &p); err != nil || len(p) == 0 {
		return false, fmt.Errorf("%w: %q is not a patch", chaos.ErrDamaged, u.Args)
	}
	was, err := vdso.Rescue(pid, p)
	return was != vdso.Foreign, err
}

func (t *timeSkew) Gone(ctx context.Context) (string, error) {
	for _, p := range t.family {
		id := p.Identity()
		state, err := vdso.StateOf(id.PID, t.patch)
		if id.Alive() && (err != nil || state == vdso.Patched) {
			return "", chaos.JoinErrors(fmt.Errorf("the clock of pid %d of %s is still off", id.PID, t.Unit.Name()), err)
		}
	}
	if !t.ID.Alive() {
		return t.EndedText(), nil
	}
	off, _, err := t.off(ctx)
	if err != nil || off != 0 {
		if !t.ID.Alive() {
			return t.EndedText(), nil
		}
		return "", chaos.JoinErrors(fmt.Errorf("the clock of %s is %s", t.Unit.Name(), offText(off)), err)
	}
	return "its clock is the machine's again, and the code that it is read by the kernel's", nil
}

func (*Offset) Schema() syntax.Schema {
	return syntax.Schema{
		"type": "string", "pattern": `^[-+]?([0-9.]+(ns|us|µs|ms|s|m|h))+$|\$\{`, "examples": []any{"-1h", "90s"},
	}
}

func (*TimeSkew) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "time.skew", New: func() chaos.Fault { return new(TimeSkew) }, Platform: "linux",
		Example: "{service: store, offset: 1h}",
		Effect:  chaos.Clock,
		On:      chaos.OnProcesses, Where: "x86-64 alone",
		Agent:      &chaos.Rights{Caps: []string{"SYS_PTRACE", "KILL"}},
		Undo:       clockOperations(),
		Capability: capability,
		Doc: "Shifts the time of day that the processes of a unit read, and none of the clocks that measure " +
			"durations.",
	}
}

// capability tells whether time.skew works here.
func capability() chaos.Capability {
	c := chaos.Capability{Fault: "time.skew", Via: "vDSO"}
	if c.Err = vdso.Works(); c.Err != nil {
		c.Fix = "it takes x86-64, and a kernel that gives processes a vDSO"
	}
	return c
}
