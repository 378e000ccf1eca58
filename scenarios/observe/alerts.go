package observe

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// alertWatch polls the state of an alert while the run goes on.
type alertWatch struct {
	run      *Run
	plan     Alert
	question *probe.AlertQuestion
	err      error // the query could not be rendered

	mu    sync.Mutex
	rec   result.AlertRecord
	log   []alertAnswer
	ahead time.Duration // the monitoring system's clock minus this machine's
	known bool          // ahead has been measured
	last  error         // error of the last query that failed
}

// alertAnswer is one poll: its answer or its error.
type alertAnswer struct {
	begin, end time.Duration // times of the query, offsets from t0
	firing     bool
	text       string
	err        error
}

// clock measures the offset of the monitoring system's clock from this machine's, so that its times
// can be converted to the run's.
func (a *alertWatch) clock(ctx context.Context) {
	ahead, within, err := a.question.Ahead(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		return
	}
	if ahead.Abs() <= within { // smaller than the uncertainty
		ahead = 0
	}
	a.ahead, a.known, a.rec.Ahead = ahead, true, result.Sec(ahead)
}

// at converts a time of the monitoring system to an offset from t0.
func (a *alertWatch) at(t time.Time) result.Num {
	if t.IsZero() {
		return result.NaN
	}
	return result.Sec(t.Add(-a.ahead).Sub(a.run.T0))
}

// ask polls once.
func (a *alertWatch) ask(ctx context.Context) {
	one := alertAnswer{begin: a.run.Now()}
	state, err := a.question.Ask(ctx)
	if ctx.Err() != nil { // the run ended meanwhile
		return
	}
	one.end, one.firing, one.text, one.err = a.run.Now(), state.Firing, state.Text, err
	for _, e := range a.take(one, state) {
		a.run.Event(e)
	}
}

// take records an answer and returns the events to report.
func (a *alertWatch) take(one alertAnswer, is probe.AlertState) (events []result.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rec.Asked++
	before := a.log
	a.log = append(a.log, one)
	tell := func(event, text string) {
		events = append(events, result.Event{Event: event, Text: a.plan.Name + text})
	}
	if one.err != nil {
		if a.rec.Failed++; a.last == nil || a.last.Error() != one.err.Error() {
			tell("alert.failed", ": "+one.err.Error())
		}
		a.last = one.err
		return events
	}
	a.last = nil
	if is.For >= 0 {
		a.rec.For = result.Sec(is.For)
	}
	n := len(a.rec.Spells)
	var open *result.AlertSpell // the spell that has not ended
	if n > 0 && !a.rec.Spells[n-1].Resolved.Known() {
		open = &a.rec.Spells[n-1]
	}
	begin := func() *result.AlertSpell {
		a.rec.Spells = append(a.rec.Spells, result.AlertSpell{
			Pending: a.at(is.Active), Firing: result.NaN, NotFiring: result.NaN, Resolved: result.NaN, StillFiring: result.NaN,
			FiringSource: result.NaN,
		})
		return &a.rec.Spells[len(a.rec.Spells)-1]
	}
	switch {
	case is.Firing:
		if open == nil {
			open = begin()
		}
		if !open.Firing.Known() {
			open.Firing, open.FiringSource = result.Sec(one.end), a.at(is.Since)
			if !open.Pending.Known() {
				open.Pending = a.at(is.Active)
			}
			for i := len(before) - 1; i >= 0; i-- {
				if before[i].err == nil {
					open.NotFiring = result.Sec(before[i].begin)
					break
				}
			}
			tell("alert.firing", ": "+is.Text+silencedText(is.Silenced))
		}
		open.StillFiring, open.Silenced, open.Text = result.Sec(one.begin), is.Silenced, is.Text
	case open != nil && open.Firing.Known():
		open.Resolved = result.Sec(one.end)
		tell("alert.resolved", "")
		if is.Pending {
			begin()
		}
	case is.Pending && open == nil:
		begin()
		tell("alert.pending", ": "+is.Text)
	case !is.Pending && open != nil: // the condition held, but not for long enough
		a.rec.Spells = a.rec.Spells[:n-1]
	}
	return events
}

func silencedText(silenced bool) string {
	if silenced {
		return " (silenced or inhibited: it notifies no one)"
	}
	return ""
}

// Fired returns the records of the alerts, with their spells assigned to the faults in records.
func (o *Observer) Fired(records []*chaos.Record) (out []result.AlertRecord) {
	if o == nil {
		return nil
	}
	mask := o.run.Mask
	for _, a := range o.alerts {
		rec := a.rec
		err := cmp.Or(a.err, a.last)
		switch {
		case a.err != nil:
			rec.Note = fmt.Sprintf("alert %s could not be asked for: %v", rec.Name, a.err)
		case rec.Asked == 0:
			rec.Note = fmt.Sprintf("alert %s was never asked for", rec.Name)
		case rec.Failed == rec.Asked:
			rec.Note = fmt.Sprintf("alert %s is not known, none of %d queries was answered: %v", rec.Name, rec.Asked, err)
		case rec.Failed > 0:
			rec.Note = fmt.Sprintf("alert %s: %d of %d queries had no answer", rec.Name, rec.Failed, rec.Asked)
		}
		if rec.Note = mask(rec.Note); rec.Note != "" {
			o.run.Note("%s", rec.Note)
		}
		if a.known && a.ahead != 0 {
			o.run.Note("alert %s: the clock of %s is %s from brunt's; its own times are corrected by that", rec.Name,
				rec.Source, quantity.FormatSeconds(a.ahead.Seconds()))
		}
		for i := range rec.Spells {
			s := &rec.Spells[i]
			s.Text = mask(s.Text)
			for _, r := range records {
				if r.N < 0 || !s.Firing.Known() {
					continue
				}
				if seen := a.sighting(r.Injected); seen.Err == nil && seen.Noticed && result.Sec(seen.At) == s.Firing {
					s.Fault = r.Name // if several faults fit, the last one injected counts
				}
			}
		}
		out = append(out, rec)
	}
	return out
}

// sighting determines when the alert fired after an injection.
func (a *alertWatch) sighting(injected time.Duration) *chaos.Sighting {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &chaos.Sighting{NotYet: injected}
	if a.err != nil {
		s.Err = fmt.Errorf("alert %s can't be asked for: %w", a.plan.Name, a.err)
		return s
	}
	var before *alertAnswer // the last query sent before the injection
	for i := range a.log {
		if a.log[i].begin < injected {
			before = &a.log[i]
		}
	}
	switch {
	case before == nil:
		s.Err = fmt.Errorf("%s had not answered before the injection", a.plan)
	case before.err != nil:
		s.Err = fmt.Errorf("%s did not answer before the injection: %w", a.plan, before.err)
	case before.firing:
		s.Err = fmt.Errorf("alert %s already fired before the injection, so its reaction to the fault is unknown: "+
			"%s", a.plan.Name, before.text)
	}
	if s.Err != nil {
		return s
	}
	sound := false
	var last error
	for i := range a.log {
		one := &a.log[i]
		if one.begin < injected {
			continue
		}
		if last = one.err; one.err != nil {
			continue
		}
		sound = true
		if one.firing {
			s.Noticed, s.At, s.Text = true, one.end, one.text
			return s
		}
		s.NotYet = one.begin
	}
	if !sound {
		s.Err = fmt.Errorf("%s did not answer after the injection", a.plan)
		if last != nil {
			s.Err = fmt.Errorf("%w: %w", s.Err, last)
		}
	}
	return s
}

// resolution determines when the alert that an injection caused was resolved.
func (a *alertWatch) resolution(injected, cleared time.Duration) series.Resolution {
	s := a.sighting(injected)
	switch {
	case s.Err != nil:
		return series.Resolution{Why: s.Err.Error()}
	case !s.Noticed:
		return series.Resolution{Why: fmt.Sprintf("alert %s did not fire, so that there is nothing to resolve", a.plan.Name)}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r := series.Resolution{Still: s.At}
	for i := range a.log {
		one := &a.log[i]
		if one.begin <= s.At || one.err != nil {
			continue
		}
		if !one.firing {
			// An alert that resolved and fired again before the fault was cleared does not count as
			// resolved.
			if r.At = cmp.Or(r.At, one.end); one.begin >= cleared {
				break
			}
			continue
		}
		r.Still, r.At = one.begin, 0
	}
	return r
}

// After returns, for each alert, when it fired after an injection and resolved after the clearing.
func (o *Observer) After(injected, cleared time.Duration) (out []result.FaultAlert) {
	for _, a := range o.alerts {
		one := result.FaultAlert{
			Name: a.plan.Name, Fired: result.NaN, FiredFrom: result.NaN, Resolved: result.NaN, StillFiring: result.NaN,
		}
		s := a.sighting(injected)
		if s.Err != nil {
			one.Note = o.run.Mask(s.Err.Error())
			out = append(out, one)
			continue
		}
		one.FiredFrom = result.Sec(max(0, s.NotYet-injected))
		if s.Noticed {
			one.Fired = result.Sec(s.At - injected)
			r := a.resolution(injected, cleared)
			one.StillFiring = result.Sec(max(0, r.Still-cleared))
			if r.At > 0 {
				one.Resolved = result.Sec(max(0, r.At-cleared))
			}
		}
		out = append(out, one)
	}
	return out
}

// alertOf finds the watch of an alert.
func (o *Observer) alertOf(name string) *alertWatch {
	for _, a := range o.alerts {
		if a.plan.Name == name {
			return a
		}
	}
	return nil
}

// Earliest returns the sighting of the alert that fired first after an injection, for a fault without a `detect` of
// its own. An unknown sighting, such as of an alert that already fired before the injection, is returned only if all
// are unknown.
func (o *Observer) Earliest(injected time.Duration) *chaos.Sighting {
	var best *chaos.Sighting
	for _, a := range o.alerts {
		s := a.sighting(injected)
		if s.Err == nil && s.Text != "" {
			s.Text = a.plan.Name + ": " + s.Text
		}
		switch {
		case best == nil, best.Err != nil && s.Err == nil:
			best = s
		case s.Err != nil:
		case s.Noticed && (!best.Noticed || s.At < best.At):
			best = s
		case !s.Noticed && !best.Noticed && s.NotYet < best.NotYet: // no alert had fired until then
			best = s
		}
	}
	return best
}

// JudgedBy fills in the data that objectives on alerts need.
func (o *Observer) JudgedBy(slo []slo.Objective, records []*chaos.Record, c *judge.Case) {
	c.Alerts = map[series.AlertKey]series.Detection{}
	c.Resolved = map[series.AlertKey]series.Resolution{}
	for _, ob := range slo {
		if !ob.Metric.OfAlert() {
			continue
		}
		a := o.alertOf(ob.Metric.Source)
		for _, rec := range records {
			if a == nil || rec.N < 0 {
				continue
			}
			key := series.AlertKey{Occurrence: rec.N, Alert: ob.Metric.Source}
			c.Alerts[key] = o.run.detection(a.sighting(rec.Injected))
			cleared := rec.Cleared
			if cleared == 0 {
				cleared = math.MaxInt64
			}
			r := a.resolution(rec.Injected, cleared)
			r.Why = o.run.Mask(r.Why)
			c.Resolved[key] = r
		}
	}
}

// AfterSoFar is like After for a run in progress. While the fault is active, nothing is known about the time after
// its clearing. An alert that was not polled since the injection has no note.
func (o *Observer) AfterSoFar(f *judge.FaultFinding) []result.FaultAlert {
	cleared := f.Cleared
	if !f.Over {
		cleared = math.MaxInt64
	}
	out := o.After(f.Injected, cleared)
	for i := range out {
		if !f.Over {
			out[i].Resolved, out[i].StillFiring = result.NaN, result.NaN
		}
		if !o.alerts[i].askedSince(f.Injected) {
			out[i].Note, out[i].FiredFrom = "", 0
		}
	}
	return out
}

// AskedSince reports whether any alert was polled since t.
func (o *Observer) AskedSince(t time.Duration) bool {
	for _, a := range o.alerts {
		if a.askedSince(t) {
			return true
		}
	}
	return false
}

// askedSince reports whether the alert was polled since t, or can't be polled.
func (a *alertWatch) askedSince(t time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err != nil || len(a.log) > 0 && a.log[len(a.log)-1].begin >= t
}
