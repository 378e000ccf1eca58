package timeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// A Waiting is the wait of a fault for an operator. Times are offsets from t0.
type Waiting struct {
	Fault     string
	From      time.Duration
	Until     time.Duration // when the wait ends without an operator
	Continued time.Duration // when the operator continued; zero: not so far
	By        string        // name that the operator gave; may be empty
	over      bool          // an operator can no longer continue it
}

// An AbsentError is why a fault was skipped: no operator continued it.
type AbsentError struct{ Waited time.Duration }

func (e AbsentError) Error() string {
	return "no operator continued it within " + quantity.FormatDuration(e.Waited.Round(10*time.Millisecond))
}

// awaitOperator waits until an operator continues an entry that is due at a time. It returns when that was. Without
// an operator, the entry is skipped.
func (t *Timeline) awaitOperator(ctx context.Context, e *Entry, due time.Duration) (at time.Duration, ok bool) {
	if !t.sleep(ctx, due) {
		t.missed(e, due, "the run ended before it was due")
		return 0, false
	}
	most := e.Wait.AtMost.D()
	now := t.Env.Now()
	w := &Waiting{Fault: e.Name, From: now, Until: now + most}
	t.mu.Lock()
	s := t.states[e.Name]
	s.waits = w
	t.mu.Unlock()
	t.tell(result.Event{
		Event: "operator.waiting", Fault: e.Name, Text: "for at most " + quantity.FormatDuration(most),
		Data: map[string]any{"at_most": most.Seconds()},
	})
	t.sleepUnless(ctx, s.triggered, w.Until)
	t.mu.Lock()
	at, w.over = w.Continued, true
	t.mu.Unlock()
	if ok = isClosed(s.triggered); !ok {
		why := AbsentError{min(t.Env.Now()-w.From, most)}
		r := t.missed(e, due, why.Error())
		r.InjectErr, r.Skipped = why, true
	}
	return at, ok
}

// unattended reports whether a fault, or one that it follows, waited for an operator who did not continue it.
func (t *Timeline) unattended(fault string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for range t.Entries {
		i := slices.IndexFunc(t.Entries, func(e *Entry) bool { return e.Name == fault })
		if i < 0 {
			break
		}
		if w := t.states[fault].waits; w != nil && w.Continued == 0 {
			return true
		}
		fault = t.Entries[i].After
	}
	return false
}

// Continue makes an entry due that waits for an operator. by is the name of the operator, and may be empty. The error
// says why it is not waiting.
func (t *Timeline) Continue(name, by string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.states[name]
	why := error(nil)
	switch {
	case s == nil || !s.operator:
		why = errNoWait
	case s.waits == nil:
		why = errNotYet
	case isClosed(s.triggered):
		why = errContinued
	case s.waits.over:
		why = errGivenUp
	}
	if why != nil {
		return fmt.Errorf("%s: %w", name, why)
	}
	s.waits.Continued, s.waits.By = t.Env.Now(), by
	close(s.triggered)
	return nil
}

// Waits lists the waits for an operator that have begun, in the order of the entries. Those that go on are neither
// continued nor over.
func (t *Timeline) Waits() (out []Waiting) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.Entries {
		if w := t.states[e.Name].waits; w != nil {
			out = append(out, *w)
		}
	}
	return out
}

// GoesOn reports whether the wait still needs an operator.
func (w *Waiting) GoesOn() bool { return !w.over && w.Continued == 0 }
