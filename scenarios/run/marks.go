package run

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/notes"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
)

// A Marker takes what a person says about a fault at a time by the wall clock: that it goes on, or that its harm is
// seen, understood or acted on. fault names a fault or an occurrence of one; a fault stands for its last occurrence. by
// is the name of the person, and may be empty. The error says why the mark can't be taken. Any goroutine may call it.
type Marker func(k result.MarkKind, fault, by string, at time.Time) error

// longestName is the maximum length of the name of a person, in bytes.
const longestName = 80

// Errors of a [Marker].
var (
	errLongName  = fmt.Errorf("a name has at most %d bytes", longestName)
	errNoMark    = errors.New("a mark is continue, seen, understood or acted")
	errNoFaults  = errors.New("no fault is injected in this run")
	errNotInYet  = errors.New("it was not injected so far")
	errNotLoaded = errors.New("the load has not begun yet")
)

// marks holds what people say about the faults of a run.
type marks struct {
	log  *events.Log
	plan *plan.Plan
	mask func(string) string // hides secrets
	now  func() (*timeline.Timeline, []measure.Occurrence)

	mu sync.Mutex
	of map[string]*result.OperatorRecord // by the occurrence
}

// newMarks creates the marks of a run, before its load.
func newMarks(r *runner) *marks {
	return &marks{
		log: r.log, plan: r.plan, mask: r.plan.Scenario.Secrets.MaskFields, of: map[string]*result.OperatorRecord{},
		now: func() (*timeline.Timeline, []measure.Occurrence) {
			t := r.faults.timeline.Load()
			if t == nil {
				return nil, nil
			}
			return t, r.loads.rec.Occurrences()
		},
	}
}

// mark implements [Marker].
func (m *marks) mark(k result.MarkKind, fault, by string, at time.Time) error {
	by = strings.TrimSpace(syntax.Clean(by))
	if len(by) > longestName {
		return errLongName
	}
	by = m.mask(secret.Fields(by))
	if k != result.Continued && !slices.Contains(result.MarkKinds(), k) {
		return errNoMark
	}
	t, occurrences := m.now()
	switch names := m.names(); {
	case t == nil && len(names) > 0:
		return errNotLoaded
	case t == nil:
		return errNoFaults
	case k == result.Continued:
		if err := t.Continue(fault, by); err != nil {
			return withHint(err, fault, names)
		}
		m.event(k, fault, by, time.Now())
		return nil
	}
	name, err := m.find(fault, occurrences)
	if err != nil {
		return err
	}
	mark := result.Mark{At: result.Sec(at.Sub(m.log.T0())), By: by}
	m.mu.Lock()
	of := m.of[name]
	if of == nil {
		of = &result.OperatorRecord{Asked: result.NaN, AtMost: result.NaN}
		m.of[name] = of
	}
	added := of.Add(k, mark)
	earlier := *of.Mark(k)
	m.mu.Unlock()
	if !added {
		who := ""
		if earlier.By != "" {
			who = " by " + earlier.By
		}
		return fmt.Errorf("%s was marked as %s before, at %s%s", name, k, quantity.FormatInstant(earlier.At.D()), who)
	}
	m.event(k, name, by, at)
	return nil
}

// noted takes a mark that came as a note.
func (m *marks) noted(n notes.Note, at time.Time) error {
	return m.mark(result.MarkKind(n.Mark), n.Fault, n.Author, at)
}

// names lists the faults of the plan.
func (m *marks) names() (out []string) {
	for _, e := range m.plan.Faults {
		out = append(out, e.Name)
	}
	return out
}

func (m *marks) event(k result.MarkKind, fault, by string, at time.Time) {
	e := result.Event{Event: k.Event(), Fault: fault}
	if by != "" {
		e.Text, e.Data = "by "+by, map[string]any{result.ByData: by}
	}
	m.log.EventAt(at, e)
}

// find returns the occurrence that a person names. The name of a fault means its last occurrence.
func (m *marks) find(fault string, occurrences []measure.Occurrence) (string, error) {
	for _, oc := range slices.Backward(occurrences) {
		if oc.Name != "" && (oc.Name == fault || oc.Fault == fault) {
			return oc.Name, nil
		}
	}
	return "", withHint(fmt.Errorf("%s: %w", syntax.Clip(syntax.Clean(fault), 60), errNotInYet), fault, m.names())
}

// withHint adds a hint to an error on a fault that the plan does not have.
func withHint(err error, fault string, names []string) error {
	if slices.Contains(names, fault) {
		return err
	}
	return fmt.Errorf("%w; %s", err, syntax.DidYouMean(syntax.Clip(syntax.Clean(fault), 60), names))
}

// record returns what people did about an occurrence; nil if they did nothing and it did not wait for them.
func (m *marks) record(fault, occurrence string) *result.OperatorRecord {
	out := result.OperatorRecord{Asked: result.NaN, AtMost: result.NaN}
	m.mu.Lock()
	of := m.of[occurrence]
	if of != nil {
		out = *of
	}
	m.mu.Unlock()
	t, _ := m.now()
	if t == nil {
		return nil
	}
	for _, w := range t.Waits() {
		if w.Fault != fault || occurrence != fault && !strings.HasSuffix(occurrence, "#1") {
			continue
		}
		of, out.Asked, out.AtMost = &out, result.Sec(w.From), result.Sec(w.Until-w.From)
		if w.Continued > 0 {
			out.Continued = &result.Mark{At: result.Sec(w.Continued), By: w.By}
		}
	}
	if of == nil {
		return nil
	}
	return &out
}

// addTo adds the times of the marks of occurrence n, whose name is given, to what the judge is told.
func (m *marks) addTo(to map[series.MarkKey]time.Duration, n int, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range result.MarkKinds() {
		if mark := m.of[name].Mark(k); mark != nil {
			to[series.MarkKey{Occurrence: n, Kind: k}] = mark.At.D()
		}
	}
}

// mostMarked bounds the occurrences that an interval lists for marks.
const mostMarked = 6

// live adds to an interval the waits for an operator, and the occurrences that are in, with the last one that is over.
func (m *marks) live(iv *result.Interval) {
	t, occurrences := m.now()
	if t == nil {
		return
	}
	for _, w := range t.Waits() {
		if w.GoesOn() {
			iv.Waiting = append(iv.Waiting, result.WaitingFault{Name: w.Fault, From: w.From, Until: w.Until})
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	last := true
	for _, oc := range slices.Backward(occurrences) {
		if oc.Name == "" || oc.Over && !last || len(iv.Marked) == mostMarked {
			continue
		}
		f := result.MarkedFault{Name: oc.Name, In: !oc.Over}
		for _, k := range result.MarkKinds() {
			if m.of[oc.Name].Mark(k) != nil {
				f.Marks = append(f.Marks, k)
			}
		}
		iv.Marked = append(iv.Marked, f)
		last = false
	}
}
