package events

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios/result"
)

// Options configure a log.
type Options struct {
	Mask func(string) string // hides secrets; nil hides nothing
	// hides secrets in texts of people, including values whose names mark them as secret; nil means Mask
	MaskFields func(string) string
	Log        *slog.Logger       // receives each event as well; nil receives none
	Event      func(result.Event) // called with each event, by several goroutines; may be nil
}

// A Log is the clock of a run, its events and its notes. Any goroutine may use it.
type Log struct {
	o  Options
	t0 atomic.Pointer[time.Time]

	mu         sync.Mutex
	notes      []string
	events     packed
	lost       bool // events could not be read back, and the notes say so
	subscriber func(result.Event)
}

// New creates a log whose t0 is now, until Begin.
func New(o Options) *Log {
	l := &Log{o: o, events: packed{base: time.Now()}}
	if o.Mask == nil {
		l.o.Mask = func(s string) string { return s }
	}
	if o.MaskFields == nil {
		l.o.MaskFields = l.o.Mask
	}
	if o.Log == nil {
		l.o.Log = slog.New(slog.DiscardHandler)
	}
	l.Begin(time.Now())
	return l
}

// Begin sets t0. It also applies to events that were recorded before.
func (l *Log) Begin(t0 time.Time) { l.t0.Store(&t0) }

// T0 returns the time that all offsets are relative to.
func (l *Log) T0() time.Time { return *l.t0.Load() }

// Now returns the time of the run's clock: the offset from t0.
func (l *Log) Now() time.Duration { return time.Since(*l.t0.Load()) }

// Note adds a note to the report.
func (l *Log) Note(format string, args ...any) {
	text := l.o.Mask(fmt.Sprintf(format, args...)) // scripts and targets may quote secrets
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notes = append(l.notes, text)
}

// Noted returns the notes so far.
func (l *Log) Noted() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.notes)
}

// Subscribe passes each further event to a function as well, before Options.Event. A later call replaces the
// function.
func (l *Log) Subscribe(to func(result.Event)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subscriber = to
}

// Event records an event now.
func (l *Log) Event(e result.Event) { l.EventAt(time.Now(), e) }

// EventAt records an event at a past time.
func (l *Log) EventAt(at time.Time, e result.Event) {
	e.Text, e.Data = l.o.Mask(e.Text), maskedData(e.Data, l.o.Mask)
	if e.At.IsZero() {
		e.At = at.UTC().Round(0) // without the monotonic clock
	}
	at = monotonic(at, time.Now())
	l.mu.Lock()
	l.events.add(at, &e)
	subscriber := l.subscriber
	l.mu.Unlock()
	e.T = result.Sec(at.Sub(l.T0()))
	l.o.Log.Info(e.Event, "t", float64(e.T), "fault", e.Fault, "unit", e.Unit, "text", e.Says())
	if subscriber != nil {
		subscriber(e)
	}
	if l.o.Event != nil {
		l.o.Event(e)
	}
}

// monotonic returns a time that another program has told, by the wall clock, as one of the monotonic clock of this
// process: as long ago as the wall clock says now. Its distance from t0 would be wrong if the wall clock was set since.
func monotonic(at, now time.Time) time.Time {
	if at != at.Round(0) {
		return at
	}
	return now.Add(at.Sub(now.Round(0)))
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

// Events returns the events with their times on the run's clock. This also applies to events before the load, which
// were recorded before t0 was known. Events that were reported late are sorted into their place.
func (l *Log) Events() []result.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]result.Event, 0, l.events.n)
	l.read(func(e result.Event) { out = append(out, e) })
	slices.SortStableFunc(out, func(a, b result.Event) int { return cmp.Compare(a.T, b.T) })
	return out
}

// read calls do with each event. If events can't be read back, it notes that once. The caller holds mu.
func (l *Log) read(do func(result.Event)) {
	if err := l.events.each(l.T0(), do); err != nil && !l.lost {
		l.lost = true
		l.notes = append(l.notes, fmt.Sprintf("events are missing: %v", err))
	}
}

// OfFaults returns the last event of each kind of each fault, by the name of the fault and the kind
// of the event.
func (l *Log) OfFaults() map[string]map[string]result.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]map[string]result.Event{}
	l.read(func(e result.Event) {
		if e.Fault == "" {
			return
		}
		if out[e.Fault] == nil {
			out[e.Fault] = map[string]result.Event{}
		}
		out[e.Fault][e.Event] = e
	})
	return out
}
