package observe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios/result"
)

// A Watch is an entry of `watch`.
type Watch struct {
	Name string
	*probe.Watch
}

// Limits on the states that are kept of one watch of one unit.
const (
	mostStates = 400 // number of spans
	mostText   = 60  // characters of a state
)

// unitWatch is a watch of one unit under way, whose values are states.
type unitWatch struct {
	plan    Watch
	unit    string
	reading interface {
		State(ctx context.Context) (string, error)
	}

	mu     sync.Mutex
	states []result.UnitState
	last   string // the last answer; gaps do not change it
	at     time.Duration
	asked  int
	missed int
	err    error // error of the last question without an answer
	full   bool
}

// watchUnits prepares to ask the units for their states. Each watch with numbers becomes one gauge for each unit, and
// one that counts a gauge for all.
func (o *Observer) watchUnits(watches []Watch, units []chaos.Unit) {
	for _, w := range watches {
		asked := slices.DeleteFunc(slices.Clone(units), func(u chaos.Unit) bool { return !w.Asks(u) })
		if w.Count {
			counting := w.Counting(asked, o.run.Host)
			g := newGauge(Metric{Name: w.Name, Gauge: w.Gauge()})
			g.reading, g.missed, g.ofUnit = counting, counting.Missed, cmp.Or(w.Of, "all units")
			o.gauges = append(o.gauges, g)
			continue
		}
		for _, u := range asked {
			reading := w.Reading(u, o.run.Host)
			if w.Numeric() {
				g := newGauge(Metric{Name: w.Name, Gauge: w.Gauge()})
				g.reading, g.ofUnit = reading, u.Name()
				o.gauges = append(o.gauges, g)
				continue
			}
			o.watches = append(o.watches, &unitWatch{plan: w, unit: u.Name(), reading: reading})
		}
	}
}

// ask asks once, and returns the events that follow from the answer.
func (w *unitWatch) ask(ctx context.Context, run *Run) {
	began := run.Now()
	text, err := w.reading.State(ctx)
	if ctx.Err() != nil { // the run ended meanwhile
		return
	}
	if err == nil {
		if r := []rune(run.Mask(text)); len(r) > mostText {
			text = string(r[:mostText]) + "…"
		} else {
			text = string(r)
		}
	}
	for _, e := range w.take(began, run.Now(), text, err) {
		e.Text = run.Mask(e.Text)
		run.Event(e)
	}
}

// take records an answer that was asked for at began and came at end.
func (w *unitWatch) take(began, end time.Duration, text string, err error) (events []result.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	event := func(kind, format string, args ...any) {
		if w.full {
			return
		}
		events = append(events, result.Event{
			T: result.Sec(end), Event: kind, Unit: w.unit, Text: w.plan.Name + ": " + fmt.Sprintf(format, args...),
		})
	}
	w.asked++
	n := len(w.states)
	if err != nil {
		w.missed++
		w.err = err
		if n == 0 || w.states[n-1].Text != "" {
			w.begin(began, "")
			event("watch.silent", "no answer: %v", err)
		}
		w.extend(end)
		return events
	}
	switch was := w.last; {
	case n > 0 && w.states[n-1].Text == text:
	case was == "":
		w.begin(end, text)
		event("watch.state", "is %s", text)
	case was == text: // after a gap
		w.begin(end, text)
		event("watch.state", "answers again: %s", text)
	default:
		w.begin(end, text)
		event("watch.state", "became %s, was %s at %.1f s", text, was, w.at.Seconds())
	}
	w.last, w.at = text, end
	w.extend(end)
	return events
}

// begin begins a span with a state, which ends the span before.
func (w *unitWatch) begin(at time.Duration, text string) {
	if len(w.states) == mostStates {
		w.full = true
		return
	}
	if n := len(w.states); n > 0 {
		w.states[n-1].To = result.Sec(at)
	}
	w.states = append(w.states, result.UnitState{From: result.Sec(at), To: result.Sec(at), Text: text})
}

// extend extends the last span to at.
func (w *unitWatch) extend(at time.Duration) {
	if n := len(w.states); n > 0 && !w.full {
		w.states[n-1].To = result.Sec(at)
	}
}

// record returns the states so far.
func (w *unitWatch) record(mask func(string) string) result.Watch {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := result.Watch{
		Name: w.plan.Name, Unit: w.unit, Source: mask(w.plan.String()), Every: result.Sec(w.plan.EveryOr()), Asked: w.asked,
		Missed: w.missed,
		States: slices.Clone(w.states),
	}
	if out.States == nil {
		out.States = []result.UnitState{}
	}
	switch {
	case w.full:
		out.Note = fmt.Sprintf("it changed more than %d times; what followed was left out", mostStates)
	case w.asked > 0 && w.missed == w.asked:
		out.Note = mask(fmt.Sprintf("it never answered, in %d tries: %v", w.asked, w.err))
	}
	return out
}

// Watches returns the answers of the units to the watches, so far or after Stop.
func (o *Observer) Watches() (out []result.Watch) {
	if o == nil {
		return nil
	}
	for _, w := range o.watches {
		out = append(out, w.record(o.run.Mask))
	}
	return out
}
