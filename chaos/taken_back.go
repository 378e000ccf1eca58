package chaos

import (
	"fmt"
	"slices"
	"time"

	"brunt/scenarios/quantity"
)

// TakenBackError says that a watchdog reverted a fault, because brunt itself stood still. Times are offsets from t0.
type TakenBackError struct {
	At       time.Duration // when the watchdog reverted it
	From, To time.Duration // while brunt stood still
}

func (e TakenBackError) Error() string {
	return fmt.Sprintf("brunt itself stood still from %s to %s, and its watchdog took the fault back at %s",
		milliseconds(e.From), milliseconds(e.To), milliseconds(e.At))
}

func milliseconds(d time.Duration) string {
	return quantity.FormatSeconds(d.Round(time.Millisecond).Seconds())
}

// mostLate is how late brunt itself may be for an injection. Later, the load that the fault was planned for may be
// over, so the fault is not injected.
const mostLate = time.Second

// TakenBack voids the occurrences that a watchdog has reverted: entries are the numbers of their journal
// entries. An occurrence that is reverted already stays as it is.
func (t *Timeline) TakenBack(entries []int, why TakenBackError) {
	t.mu.Lock()
	in := slices.Clone(t.in)
	t.mu.Unlock()
	for _, r := range in {
		if !slices.ContainsFunc(r.ids, func(id int) bool { return slices.Contains(entries, id) }) {
			continue
		}
		whole := r
		if r.group != nil {
			whole = r.group
		}
		if whole.void(why) {
			t.event("fault.void", whole.Name, why.Error())
		}
	}
}

// awake finds out what happened while brunt stood still, if it did.
func (t *Timeline) awake() {
	if t.Awake != nil {
		t.Awake()
	}
}
