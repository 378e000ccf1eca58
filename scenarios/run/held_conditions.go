// Conditions are faults that a target lives with while it is judged. They hold for a whole run, or from its warm-up to
// the end of its load, and have no phase and no objectives.

package run

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// A conditionsHost is the run whose conditions hold.
type conditionsHost struct {
	Entries  []*timeline.Entry
	Late     bool // they are injected at their time, and the result says when; otherwise at once
	Env      chaos.Env
	Journal  chaos.Recorder
	Seed     uint64
	SkipNone bool               // a condition that matches no unit is left out
	Longest  time.Duration      // time after which a watchdog takes them back, whatever the run does
	Awake    func(overdue bool) // see [timeline.Timeline]
	Event    func(result.Event)
	Plays    func(*timeline.Timeline) // called before the timeline of the conditions plays
	Lost     func(why error)          // called when a condition no longer holds
}

// A heldConditions holds the conditions of a run while they are in.
type heldConditions struct {
	host     conditionsHost
	timeline *timeline.Timeline
	end      context.CancelFunc
	done     chan struct{}
	records  []*chaos.Record // valid when done is closed

	mu      sync.Mutex
	pending map[string]bool
	errs    []error
	ready   chan struct{} // closed when each condition is in or has failed
}

// openConditions injects all conditions and verifies that they are in. After an error none is in.
func openConditions(ctx context.Context, host conditionsHost) (*heldConditions, error) {
	h := &heldConditions{host: host, done: make(chan struct{}), pending: map[string]bool{}, ready: make(chan struct{})}
	var entries []*timeline.Entry
	for _, e := range host.Entries {
		h.pending[e.Name] = true
		one, at := *e, quantity.Duration(math.MinInt64/2) // at once, before t0
		if host.Late {
			at = *e.At
		}
		one.At, one.For = &at, quantity.Duration(host.Longest)
		entries = append(entries, &one)
	}
	t := &timeline.Timeline{
		Entries: entries, Env: host.Env, Journal: unnamed{host.Journal}, Seed: host.Seed, Alone: true, Whole: true,
		SkipNone: host.SkipNone, End: math.MaxInt64,
		Phases: timeline.Unmeasured(host.Env.Now), Awake: host.Awake, Event: h.event,
	}
	playing, end := context.WithCancel(context.WithoutCancel(ctx))
	h.end, h.timeline = end, t
	host.Plays(t)
	go func() {
		defer close(h.done)
		h.records = t.Play(playing)
	}()
	var err error
	select {
	case <-h.ready:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	h.mu.Lock()
	err = errors.Join(append([]error{err}, h.errs...)...)
	h.mu.Unlock()
	if err != nil {
		h.Release()
		return nil, err
	}
	return h, nil
}

// event follows the timeline.
func (h *heldConditions) event(e result.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e.Event {
	case "fault.verified":
		h.host.Event(result.Event{Event: "condition.held", Fault: e.Fault, Text: e.Text})
	case "fault.skipped":
		h.host.Event(result.Event{Event: "condition.skipped", Fault: e.Fault, Text: e.Text})
	case "fault.unverified":
		if !h.pending[e.Fault] { // it was injected again
			h.host.Lost(fmt.Errorf("the condition %s did not hold to the end: %s", e.Fault, e.Text))
			return
		}
		h.errs = append(h.errs, fmt.Errorf("the condition %s was injected, but not verified: %s", e.Fault, e.Text))
	case "fault.failed", "fault.missed":
		h.errs = append(h.errs, fmt.Errorf("the condition %s was not injected: %s", e.Fault, e.Text))
	case "fault.void":
		h.host.Lost(fmt.Errorf("the condition %s did not hold to the end: %s", e.Fault, e.Text))
		return
	case "fault.cleared":
		h.host.Event(result.Event{Event: "condition.cleared", Fault: e.Fault, Text: e.Text})
		return
	default:
		return
	}
	if !h.pending[e.Fault] {
		return
	}
	if delete(h.pending, e.Fault); len(h.pending) == 0 {
		close(h.ready)
	}
}

// Release takes all conditions back, the last first, and returns their records.
func (h *heldConditions) Release() []result.Condition {
	h.end()
	<-h.done
	var out []result.Condition
	for _, r := range h.records {
		c := result.Condition{
			Name: r.Name, Kind: r.Kind, Nature: r.Nature, Units: r.Units, Via: r.Via,
			Evidence: r.Evidence, Gone: r.Gone, GoneEvidence: r.GoneText,
			NotShown: r.NotShown, Injected: result.NaN, Verified: result.NaN,
		}
		if h.host.Late && r.N >= 0 {
			c.Injected = result.Sec(r.Injected)
			if r.VerifyErr == nil {
				c.Verified = result.Sec(r.Verified)
			}
		}
		if err := r.Err(); err != nil {
			c.Note = err.Error()
		}
		out = append(out, c)
	}
	return out
}

// unnamed is a journal that keeps conditions as parts of the target, so that the run ends if a watchdog takes one
// back.
type unnamed struct{ chaos.Recorder }

func (u unnamed) Intent(in chaos.Intent) (int, error) {
	in.What, in.Fault = "the condition "+in.Fault+": "+in.What, ""
	return u.Recorder.Intent(in)
}
