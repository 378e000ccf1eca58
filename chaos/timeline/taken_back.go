package timeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/scenarios/quantity"
)

// mostLate is the most that brunt itself may be late for an injection. If it is later, the load for which the fault was
// planned may be over, and the fault is not injected.
const mostLate = time.Second

// tooLate says by how much brunt itself was late for an injection, and how much it may be.
func tooLate(late time.Duration) string {
	return fmt.Sprintf("brunt itself was late for it by %s, and it may be late by at most %s",
		quantity.FormatSeconds(late.Seconds()), quantity.FormatDuration(mostLate))
}

// An earlyEnd says when and why an occurrence, or a step of a group, ended before its time.
type earlyEnd struct {
	at    time.Duration // until when it is known to have been injected
	found time.Duration // when that became known
	why   error
}

// void ends an occurrence early, because its effect is gone or is no longer the planned one. The occurrence was
// injected until then, or until the last sign of a holder that has ended. The run can't be judged by it. Of several
// causes the first counts, but a watchdog that took the fault back replaces the end of its holder as the cause.
func (t *Timeline) void(r *injection, found time.Duration, why error) {
	end := &earlyEnd{t.lastIn(found, why), found, why}
	if early, ok := errors.AsType[chaos.EndedEarlyError](why); ok && !early.At.IsZero() {
		early.On = end.at
		why, end.why = early, early
	}
	taken, ok := errors.AsType[chaos.TakenBackError](why)
	if ok {
		end.at = taken.At
	}
	first := r.ends(end)
	if r.group != nil {
		if !ok {
			end = &earlyEnd{end.at, found, fmt.Errorf("%s: %w", r.Name, why)}
		}
		r = r.group
		first = r.ends(end)
	}
	if first {
		t.event("fault.void", r.Name, end.why.Error())
		close(r.voids)
	}
}

// lastIn returns the time until which a fault is known to have been injected: the last sign of its holder or the time
// of its end, by the error, or else a given time.
func (t *Timeline) lastIn(known time.Duration, why error) time.Duration {
	var at time.Time
	if ended, ok := errors.AsType[chaos.HolderEndedError](why); ok {
		at = ended.Seen
	} else if early, ok := errors.AsType[chaos.EndedEarlyError](why); ok {
		at = early.At
	}
	if at.IsZero() {
		return known
	}
	return t.Env.Now() - time.Since(at)
}

// An ending is the last occurrence that ended a unit, or is ending it.
type ending struct {
	by    string
	at    time.Duration
	group *injection // that it is a step of; nil: none
}

// noteEnding notes an occurrence whose effect ends its units.
func (t *Timeline) noteEnding(r *injection) {
	ends := slices.ContainsFunc(r.Held, func(h chaos.Held) bool { return h.Traits().EndsUnit })
	if of, ok := r.of.(chaos.Described); ok && !ends {
		d := of.Describe()
		ends = d.Effect == chaos.Dies || d.Effect == chaos.Restarts
	}
	if !ends {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.endings == nil {
		t.endings = map[string]ending{}
	}
	for _, u := range r.Units {
		t.endings[u] = ending{r.Name, r.Injected, r.group}
	}
}

// endedByOwn reports whether another fault of the run ended the unit of a held fault, by the error of its early end.
// The occurrence goes on if it is held on other units, and is not void. The record tells for how long it was in, unless
// another step of its group ended the unit, as the group was to do.
func (t *Timeline) endedByOwn(r *injection, h chaos.Held, why error) bool {
	early, ok := errors.AsType[chaos.EndedEarlyError](why)
	if !ok || early.By != "" {
		return false
	}
	now := t.Env.Now()
	at := t.lastIn(now, why)
	t.mu.Lock()
	e, ok := t.endings[early.Unit]
	t.mu.Unlock()
	if !ok || e.by == r.Name || e.at < r.Injected || e.at > at {
		return false
	}
	if early.At.IsZero() {
		at = e.at
	}
	if in := max(0, at-r.Injected); in < r.stays && (r.group == nil || r.group != e.group) {
		r.Cuts = append(r.Cuts, chaos.CutShort{Unit: early.Unit, By: e.by, In: in, Of: r.stays})
	}
	r.left = append(r.left, h)
	t.event("fault.followed", r.Name, fmt.Sprintf("%s ended %s, and the fault on it", e.by, early.Unit))
	if len(r.left) == len(r.Held) && r.ends(&earlyEnd{at, now, errOwnEnd}) && r.group == nil {
		close(r.voids)
	}
	return true
}

// errOwnEnd is why an occurrence ended if other faults of the run ended all of its units.
var errOwnEnd = errors.New("other faults ended its units")

// ends notes the end of an occurrence, and reports whether it is the first end. A watchdog that takes a fault back also
// ends its holder, or continues what was stopped, which may be noticed first; the watchdog then replaces that cause.
func (r *injection) ends(end *earlyEnd) (first bool) {
	if r.end.CompareAndSwap(nil, end) {
		return true
	}
	had := r.end.Load()
	_, early := errors.AsType[chaos.EndedEarlyError](had.why)
	if _, taken := errors.AsType[chaos.TakenBackError](end.why); taken &&
		(early || errors.Is(had.why, chaos.ErrHolderEnded)) {
		r.end.CompareAndSwap(had, end)
	}
	return false
}

// endEarly records when and why a void occurrence ended, or that it was not injected for all of its time.
func (r *injection) endEarly() {
	r.Absent = append(r.Absent, r.again.missing()...)
	end := r.end.Load()
	if end != nil {
		r.Cleared = min(max(end.at, r.Injected), r.Cleared)
	}
	if end == nil || errors.Is(end.why, errOwnEnd) {
		if len(r.Absent) > 0 {
			r.Void = chaos.MissingError{Times: r.Absent}
		}
		return
	}
	if _, ok := errors.AsType[chaos.TakenBackError](end.why); ok {
		r.Void = end.why
	} else {
		r.Void = chaos.VoidError{After: r.Cleared - r.Injected, Why: end.why}
	}
}

// TakenBack voids the occurrence whose journal entry, given by its number, a watchdog has reverted. It does not change
// an occurrence that is already reverted.
func (t *Timeline) TakenBack(entry int, why chaos.TakenBackError) {
	t.mu.Lock()
	in := slices.Clone(t.in)
	t.mu.Unlock()
	for _, r := range in {
		if slices.Contains(r.ids, entry) {
			why.Early = why.From == why.To && why.At < r.until
			t.void(r, why.At, why)
		}
	}
}

// A standstill is a time in which brunt itself did not run, as offsets from t0. In the zero value, brunt ran all the
// time.
type standstill struct{ from, to time.Duration }

// StoodStill tells the timeline that brunt stood still from one time to another. A process that holds a fault gives
// brunt up at givenUp: it takes its fault back, and ends. If that is not after to, it holds for each fault whose holder
// was found ended since from.
func (t *Timeline) StoodStill(from, to, givenUp time.Duration) {
	t.mu.Lock()
	t.still = standstill{from, to}
	in := slices.Clone(t.in)
	t.mu.Unlock()
	if givenUp > to {
		return
	}
	why := chaos.TakenBackError{At: givenUp, From: from, To: to, By: "the process that held it"}
	for _, r := range in {
		if end := r.end.Load(); end != nil && end.found >= from && errors.Is(end.why, chaos.ErrHolderEnded) {
			t.void(r, why.At, why)
		}
	}
}

// delayed returns an error if brunt itself stood still while it planned and prepared an occurrence, for longer than it
// may be late. Without a load, no moment is better than another.
func (t *Timeline) delayed(r *injection) error {
	if t.Alone || t.Env.Now()-r.began <= mostLate {
		return nil
	}
	t.awake()
	t.mu.Lock()
	defer t.mu.Unlock()
	if late := t.still.to - max(t.still.from, r.began); late > mostLate {
		return errors.New(tooLate(late))
	}
	return nil
}

// whyFailed returns the error of an occurrence that could not be planned or injected. If brunt itself stood still
// meanwhile, the error says so before anything else: an agent may have given it up, and waits have run out.
func (t *Timeline) whyFailed(ctx context.Context, r *injection, err error) error {
	if err = overtaken(ctx, err); errors.Is(err, errOvertaken) {
		return err
	}
	t.awake()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.still.to <= r.began {
		return err
	}
	return fmt.Errorf("brunt itself stood still from %s to %s, during the injection: %w",
		quantity.FormatInstant(t.still.from), quantity.FormatInstant(t.still.to), err)
}

// awake finds out whether brunt stood still and what happened meanwhile, and which faults a watchdog took back.
func (t *Timeline) awake() {
	if t.Awake == nil {
		return
	}
	t.mu.Lock()
	overdue := t.overdue || slices.ContainsFunc(t.in, (*injection).isOverdue)
	t.mu.Unlock()
	t.Awake(overdue)
}
