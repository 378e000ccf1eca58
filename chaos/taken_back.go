package chaos

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios/quantity"
)

// TakenBackError says that something else reverted a fault, because brunt itself did not. Times are offsets from t0.
type TakenBackError struct {
	At       time.Duration // when it was reverted
	From, To time.Duration // while brunt stood still; equal: it is not known to have
	By       string        // what reverted it; empty is the watchdog
}

func (e TakenBackError) Error() string {
	if e.From == e.To {
		return fmt.Sprintf("brunt did not take the fault back in time, and %s did at %s", cmp.Or(e.By, "its watchdog"), quantity.FormatInstant(e.At))
	}
	return fmt.Sprintf("brunt itself stood still from %s to %s, and its watchdog took the fault back at %s",
		quantity.FormatInstant(e.From), quantity.FormatInstant(e.To), quantity.FormatInstant(e.At))
}

// mostLate is how late brunt itself may be for an injection. Later, the load that the fault was planned for may be
// over, so the fault is not injected.
const mostLate = time.Second

// TakenBack voids the occurrence whose journal entry, given by its number, a watchdog has reverted. An occurrence
// that is reverted already stays as it is.
func (t *Timeline) TakenBack(entry int, why TakenBackError) {
	t.mu.Lock()
	in := slices.Clone(t.in)
	t.mu.Unlock()
	for _, r := range in {
		if !slices.Contains(r.ids, entry) {
			continue
		}
		whole := r
		if r.group != nil {
			whole = r.group
			r.took.CompareAndSwap(nil, &why)
		}
		if whole.void(why) {
			t.event("fault.void", whole.Name, why.Error())
		}
	}
}

// awake finds out what happened while brunt stood still, if it did, and what a watchdog took back because a fault is past
// its deadline.
func (t *Timeline) awake() {
	if t.Awake == nil {
		return
	}
	t.mu.Lock()
	overdue := t.overdue || slices.ContainsFunc(t.in, (*injection).isOverdue)
	t.mu.Unlock()
	t.Awake(overdue)
}
