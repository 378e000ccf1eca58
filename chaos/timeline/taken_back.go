package timeline

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"brunt/chaos"
)

// mostLate is how late brunt itself may be for an injection. Later, the load that the fault was planned for may be
// over, so the fault is not injected.
const mostLate = time.Second

// An earlyEnd says how an occurrence, or a step of a group, was over before its time.
type earlyEnd struct {
	at  time.Duration
	why error
}

// void ends an occurrence early: its effect is gone, or is not the planned one any more. It was in until then, and the
// run can't be judged by it. Of several causes the first counts, unless a watchdog took it back.
func (t *Timeline) void(r *injection, at time.Duration, why error) {
	end := &earlyEnd{at, why}
	taken, ok := errors.AsType[chaos.TakenBackError](why)
	if ok {
		end.at = taken.At
	}
	first := r.ends(end)
	if r.group != nil {
		if !ok {
			end = &earlyEnd{end.at, fmt.Errorf("%s: %w", r.Name, why)}
		}
		r = r.group
		first = r.ends(end)
	}
	if first {
		t.event("fault.void", r.Name, end.why.Error())
		close(r.voids)
	}
}

// ends notes the end of an occurrence, and reports whether it had none. A watchdog that took it back also ended what
// held it, which may be noticed first.
func (r *injection) ends(end *earlyEnd) (first bool) {
	if r.end.CompareAndSwap(nil, end) {
		return true
	}
	had := r.end.Load()
	if _, taken := errors.AsType[chaos.TakenBackError](end.why); taken && errors.Is(had.why, chaos.ErrHolderEnded) {
		r.end.CompareAndSwap(had, end)
	}
	return false
}

// endEarly records of an occurrence that was void until when it was in, and why no longer.
func (r *injection) endEarly() {
	end := r.end.Load()
	if end == nil {
		return
	}
	r.Cleared = min(max(end.at, r.Injected), r.Cleared)
	if _, ok := errors.AsType[chaos.TakenBackError](end.why); ok {
		r.Void = end.why
	} else {
		r.Void = chaos.VoidError{After: r.Cleared - r.Injected, Why: end.why}
	}
}

// TakenBack voids the occurrence whose journal entry, given by its number, a watchdog has reverted. An occurrence
// that is reverted already stays as it is.
func (t *Timeline) TakenBack(entry int, why chaos.TakenBackError) {
	t.mu.Lock()
	in := slices.Clone(t.in)
	t.mu.Unlock()
	for _, r := range in {
		if slices.Contains(r.ids, entry) {
			t.void(r, why.At, why)
		}
	}
}

// StoodStill tells that brunt stood still from one time to another, so that a process which holds a fault gave brunt up
// meanwhile: it takes its fault back then, and ends. A fault whose holder was found ended since from is such a one.
func (t *Timeline) StoodStill(from, to, givenUp time.Duration) {
	t.mu.Lock()
	in := slices.Clone(t.in)
	t.mu.Unlock()
	why := chaos.TakenBackError{At: givenUp, From: from, To: to, By: "the process that held it"}
	for _, r := range in {
		if end := r.end.Load(); end != nil && end.at >= from && errors.Is(end.why, chaos.ErrHolderEnded) {
			t.void(r, why.At, why)
		}
	}
}

// awake finds out what happened while brunt stood still, if it did, and what a watchdog took back because a fault is
// past its deadline.
func (t *Timeline) awake() {
	if t.Awake == nil {
		return
	}
	t.mu.Lock()
	overdue := t.overdue || slices.ContainsFunc(t.in, (*injection).isOverdue)
	t.mu.Unlock()
	t.Awake(overdue)
}
