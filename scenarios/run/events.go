package run

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios/result"
)

// note adds a note to the report.
func (r *runner) note(format string, args ...any) {
	text := r.Scenario.Secrets.Mask(fmt.Sprintf(format, args...)) // scripts and targets may quote secrets
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, text)
}

// event records an event now.
func (r *runner) event(e result.Event) { r.eventAt(time.Now(), e) }

// eventAt records an event at a past time.
func (r *runner) eventAt(at time.Time, e result.Event) {
	e.Text, e.Data = r.Scenario.Secrets.Mask(e.Text), maskedData(e.Data, r.Scenario.Secrets.Mask)
	if e.At.IsZero() {
		e.At = at.UTC().Round(0) // without the monotonic clock
	}
	r.mu.Lock()
	r.events = append(r.events, e)
	r.times = append(r.times, at)
	e.T = result.Sec(at.Sub(r.t0))
	scripts := r.scripts
	r.mu.Unlock()
	r.log.Info(e.Event, "t", float64(e.T), "fault", e.Fault, "unit", e.Unit, "text", e.Text)
	if len(scripts) > 0 {
		r.tellPhase(&e, scripts)
	}
	if r.o.Event != nil {
		r.o.Event(e)
	}
}

// maskedData returns the data of an event with secrets masked.
func maskedData(data map[string]any, mask func(string) string) map[string]any {
	if data == nil {
		return nil
	}
	out := make(map[string]any, len(data))
	for k, v := range data {
		out[mask(k)] = maskedValue(v, mask)
	}
	return out
}

func maskedValue(v any, mask func(string) string) any {
	switch v := v.(type) {
	case string:
		return mask(v)
	case map[string]any:
		return maskedData(v, mask)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = maskedValue(v[i], mask)
		}
		return out
	}
	return v
}

// onClock returns the events with their times on the run's clock; events before the load were
// recorded before t0 was known.
func (r *runner) onClock() []result.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.events)
	for i := range out {
		out[i].T = result.Sec(r.times[i].Sub(r.t0))
	}
	// Events that were reported late are sorted into their place.
	slices.SortStableFunc(out, func(a, b result.Event) int { return cmp.Compare(a.T, b.T) })
	return out
}
