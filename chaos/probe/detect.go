package probe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Detect asks the team's own monitoring whether it has noticed a fault. The queries begin before the
// load, so that earlier alarms are known: an alarm from before the injection is no evidence of the
// fault, and neither is an answer without an earlier query.
type Detect struct {
	Asking `yaml:",inline"`
	// time between two questions, which bounds the accuracy of the times; zero is 1s
	Every   quantity.Duration `yaml:"every,positive"`
	Timeout quantity.Duration `yaml:"timeout,positive"` // time limit of one question; zero is 5s
}

const (
	detectEvery   = time.Second
	leastEvery    = 100 * time.Millisecond // so that queries do not disturb the measurement
	detectTimeout = 5 * time.Second
)

// Check notes every mistake in the settings.
func (d *Detect) Check(sc chaos.Scope, m *syntax.Mistakes) {
	d.Validate(d.At, sc, m)
	if d.Has("every") && d.Every.D() > 0 && d.Every.D() < leastEvery {
		m.Add(d.Of("every"), "want at least %s, not %s: more questions would disturb the measurement",
			quantity.FormatDuration(leastEvery), d.Every)
	}
}

// EveryOr returns the time between two queries.
func (d *Detect) EveryOr() time.Duration {
	if d.Every == 0 {
		return detectEvery
	}
	return d.Every.D()
}

// String describes the query.
func (d *Detect) String() string {
	return fmt.Sprintf("`%s`, asked every %s", d.Asking.String(), quantity.FormatDuration(d.EveryOr()))
}

// A watch queries the monitoring for one entry of the timeline.
type watch struct {
	ask   Question
	err   error // why the query could not be resolved
	every time.Duration
	now   func() time.Duration
	event func(kind, fault, text string)

	mu    sync.Mutex
	last  reply
	found *chaos.Sighting // of the current occurrence; nil: there is none
	since time.Duration
	name  string
	sound bool // a question was answered since the injection
	over  bool // no further occurrence follows
}

// reply is the answer to one query.
type reply struct {
	asked bool
	begin time.Duration
	holds bool
	said  string
	err   error
}

func (d *Detect) Monitor(
	on chaos.Host, now func() time.Duration, entry string, event func(kind, fault, text string),
) chaos.Monitor {
	w := &watch{every: d.EveryOr(), now: now, event: event}
	timeout := d.Timeout.D()
	if timeout == 0 {
		timeout = detectTimeout
	}
	if w.ask, w.err = d.Question(on, CommandContext{}, timeout); w.err != nil {
		event("detect.failed", entry, w.err.Error())
	}
	return w
}

// Run queries until there is nothing more to find, or ctx ends.
func (w *watch) Run(ctx context.Context) {
	if w.err != nil {
		return
	}
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for !w.ended() {
		r := reply{asked: true, begin: w.now()}
		r.holds, r.said, r.err = w.ask.Ask(ctx)
		if ctx.Err() != nil { // the end of ctx interrupted the query
			return
		}
		w.take(r, w.now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// take records a reply. A query that began before the injection is no evidence of what followed.
func (w *watch) take(r reply, end time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = r
	s := w.found
	if s == nil || s.Err != nil || s.Noticed || r.begin < w.since || r.err != nil {
		return
	}
	w.sound = true
	if !r.holds {
		s.NotYet = r.begin
		return
	}
	s.Noticed, s.At, s.Text = true, end, r.said
	w.event("fault.detected", w.name, r.said)
}

// Begin starts to look for an occurrence that is injected now.
func (w *watch) Begin(name string, injected time.Duration) *chaos.Sighting {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.close()
	s := &chaos.Sighting{NotYet: injected}
	w.found, w.name, w.since, w.sound = s, name, injected, false
	switch {
	case w.err != nil:
		s.Err = fmt.Errorf("the monitoring can't be asked: %w", w.err)
	case !w.last.asked:
		s.Err = errors.New("the monitoring had not answered before the injection")
	case w.last.err != nil:
		s.Err = fmt.Errorf("the monitoring did not answer before the injection: %w", w.last.err)
	case w.last.holds:
		s.Err = fmt.Errorf("a false alarm: the monitoring had noticed something before the injection: %s", w.last.said)
		w.event("detect.early", name, w.last.said)
	}
	return s
}

// close ends the search for an occurrence.
func (w *watch) close() {
	s := w.found
	if s == nil || s.Err != nil || s.Noticed || w.sound {
		return
	}
	s.Err = errors.New("the monitoring did not answer after the injection")
	if w.last.err != nil {
		s.Err = fmt.Errorf("%w: %w", s.Err, w.last.err)
	}
}

// Drop forgets an occurrence whose injection failed.
func (w *watch) Drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found = nil
}

// LastCame says that no further occurrence follows.
func (w *watch) LastCame() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

func (w *watch) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over && (w.found == nil || w.found.Err != nil || w.found.Noticed)
}

// Finish ends the search when there are no more queries.
func (w *watch) Finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.close()
}
