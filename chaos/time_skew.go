package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"brunt/chaos/stress"
	"brunt/chaos/vdso"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// TimeSkew sets the clock of a unit off: the time of day that its processes read, and
// none of the clocks that spans are measured by. A process that the unit starts later
// has the machine's clock, unless it is forked off and stays the same program.
type TimeSkew struct {
	Starving `yaml:",inline"`
	Offset   Offset `yaml:"offset,required"` // ahead, or back with a minus: -1h, 90s, 250ms
}

var _ Fault = (*TimeSkew)(nil)

// Offset is a span of time with a sign: 90s, -1h.
type Offset time.Duration

// DecodeNode implements [syntax.NodeDecoder].
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

// String writes the offset as an author would.
func (o Offset) String() string { return quantity.FormatDuration(time.Duration(o)) }

// Check implements [Fault].
func (t *TimeSkew) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	t.check(at, sc, m)
	if err := vdso.Works(); err != nil {
		m.Add(at, "time.skew can't be done here: %s", err)
	}
}

// Plan implements [Fault].
func (t *TimeSkew) Plan(ctx context.Context, env Env) ([]Step, error) {
	return t.each(ctx, env, func(v victim) planned {
		return &timeSkew{victim: v, offset: time.Duration(t.Offset), burn: env.burners()}
	})
}

// timeSkew is a unit whose clock is about to be off, or is.
type timeSkew struct {
	victim
	offset  time.Duration
	burn    burners
	patch   vdso.Patch
	members []identity
}

// clockOperations revert time.skew.
func clockOperations() []Operation {
	return []Operation{{Name: opClock, Do: inFamily(restoreClock), Exclusive: true}}
}

// opClock is the undo of a clock that is off.
const opClock = "clock.back"

// plan finds the processes of the unit, and what is to be written into them. All have the
// same from the kernel.
func (t *timeSkew) plan() error {
	given, err := vdso.Image(os.Getpid())
	if err != nil {
		return err
	}
	if t.patch, err = vdso.Of(given, t.offset); err != nil {
		return err
	}
	for _, pid := range family(t.id.PID) {
		id, err := identify(pid)
		if err != nil || isZombie(pid) {
			continue
		}
		image, err := vdso.Image(pid)
		switch {
		case err != nil && !id.alive():
			continue
		case err != nil:
			return fmt.Errorf("%s, pid %d: %w", t.unit.Name(), pid, err)
		case len(image) != len(given):
			return fmt.Errorf("%s, pid %d: it is of another architecture than brunt, whose clock is not known", t.unit.Name(), pid)
		case isStopped(pid):
			return fmt.Errorf("%s, pid %d: it is stopped, and not by this fault", t.unit.Name(), pid)
		case !bytes.Equal(image, given):
			return fmt.Errorf("%s, pid %d: the code that it reads the clock by is not the kernel's any more, and not by this fault", t.unit.Name(), pid)
		}
		t.members = append(t.members, id)
	}
	if len(t.members) == 0 {
		return fmt.Errorf("%s: %w", t.victim, errEnded)
	}
	return nil
}

func (t *timeSkew) String() string {
	return fmt.Sprintf("set the clock of %s %s", t.victim, offText(t.offset))
}

// offText says by how much a clock is off, for people.
func offText(d time.Duration) string {
	if d < 0 {
		return "back by " + quantity.FormatDuration(-d)
	}
	return "ahead by " + quantity.FormatDuration(d)
}

// Via implements [Step].
func (*timeSkew) Via() string { return "vDSO" }

// Undo implements [Step].
func (t *timeSkew) Undo() []Undo {
	var out []Undo
	args, _ := json.Marshal(t.patch)
	for _, id := range t.members {
		out = append(out, Undo{Op: opClock, Args: args, Identity: id.raw()})
	}
	return out
}

// Inject implements [Step].
func (t *timeSkew) Inject(ctx context.Context) (Held, error) {
	for _, id := range t.members {
		if !id.alive() {
			continue
		}
		was, err := vdso.Apply(id.PID, t.patch)
		if err == nil && was == vdso.Foreign {
			err = errors.New("the code that it reads the clock by has been changed by somebody else")
		}
		if err != nil && id.alive() {
			return t, fmt.Errorf("%s, pid %d: %w", t.unit.Name(), id.PID, err) // what is done is taken back
		}
		t.point("clock written")
	}
	if !t.id.alive() {
		return nil, errEnded
	}
	return t, nil
}

// closeBy is how far a clock that is read may be from what it should be, beyond the time
// that reading it takes.
const closeBy = 10 * time.Millisecond

// off reads the clock of the unit's first process: a child of brunt's reads it by the
// very code that is in that process now.
func (t *timeSkew) off(ctx context.Context) (time.Duration, bool, error) {
	before := time.Now()
	b, err := t.burn.start(stress.Config{}, stress.Job{Clock: &stress.Clock{PID: t.id.PID}})
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

// Verify implements [Held].
func (t *timeSkew) Verify(ctx context.Context) (string, error) {
	for _, id := range t.members {
		state, err := vdso.Look(id.PID, t.patch)
		if id.alive() && (err != nil || state != vdso.Patched) {
			return "", also(fmt.Errorf("%w on pid %d of %s: its clock is the machine's", errNoEffect, id.PID, t.unit.Name()), err)
		}
	}
	off, yes, err := t.off(ctx)
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the clock of %s: %w", t.unit.Name(), err)
	case !yes:
		return "", fmt.Errorf("%w: the clock of %s is %s", errNoEffect, t.unit.Name(), offText(off))
	}
	return fmt.Sprintf("its clock, read by its own code, is %s, in %d of its processes", offText(off), len(t.members)), nil
}

// Revert implements [Held]. A process that is stopped, by another fault perhaps, stays so.
func (t *timeSkew) Revert(context.Context) (Outcome, error) {
	out, errs := Gone, []error{}
	for _, id := range t.members {
		o, err := eachOf(id, func(pid int) (bool, error) {
			was, err := vdso.Restore(pid, t.patch)
			return was != vdso.Foreign, err
		})
		if o != Gone {
			out = o
		}
		errs = append(errs, err)
	}
	if err := also(errs...); err != nil {
		return Failed, err
	}
	return out, nil
}

// restoreClock gives a process back what the kernel gave it to read the clock by, and lets it
// go on: whoever wrote the journal may have died while it was stopped for that.
func restoreClock(u Undo, pid int) (done bool, err error) {
	var p vdso.Patch
	if err := json.Unmarshal(u.Args, &p); err != nil || len(p) == 0 {
		return false, fmt.Errorf("%w: %q is no patch", ErrDamaged, u.Args)
	}
	was, err := vdso.Rescue(pid, p)
	return was != vdso.Foreign, err
}

// Gone implements [Held].
func (t *timeSkew) Gone(ctx context.Context) (string, error) {
	for _, id := range t.members {
		state, err := vdso.Look(id.PID, t.patch)
		if id.alive() && (err != nil || state == vdso.Patched) {
			return "", also(fmt.Errorf("the clock of pid %d of %s is still off", id.PID, t.unit.Name()), err)
		}
	}
	if !t.id.alive() {
		return t.gone(), nil
	}
	off, _, err := t.off(ctx)
	if err != nil || off != 0 {
		if !t.id.alive() {
			return t.gone(), nil
		}
		return "", also(fmt.Errorf("the clock of %s is %s", t.unit.Name(), offText(off)), err)
	}
	return "its clock is the machine's again, and the code that it is read by the kernel's", nil
}
