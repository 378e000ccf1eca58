package chaos

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// A Timeline plays the faults of a scenario while the load runs.
type Timeline struct {
	Entries  []*Entry
	Env      Env
	Journal  Recorder
	Seed     uint64
	MaxEach  time.Duration // no fault stays in for longer; zero is no bound
	Alone    bool          // no load is measured: the phase of a one-shot is over as soon as its unit is healthy again
	SkipNone bool          // a selector that matches nothing voids its fault instead of failing it
	End      time.Duration // of the load
	Ask      [][]string    // where the team's monitoring may be asked besides loopback: entries of guard.allow

	// Inject and Clear note on the run's clock that an occurrence begins, which is
	// just before its injection, and that it is verified gone. Void takes back a
	// beginning that came to nothing.
	Inject func(fault, occurrence string) (n int, at time.Duration)
	Clear  func(n int) time.Duration
	Void   func(n int)
	// Before is asked once, before the first injection; an error keeps every fault
	// from being injected.
	Before func(ctx context.Context) error
	Event  func(result.Event)

	triggers map[string]chan struct{} // closed when the entry of that name is triggered
	once     sync.Once
	refusal  error
	mu       sync.Mutex
	records  []*Record
	cleared  map[string]chan struct{}
	when     map[string]time.Duration
	rooted   injectedFaults
	in       []*Record // under mu: those that are in, in the order of their injections
}

// Errors of [Timeline.Trigger].
var (
	ErrNoTrigger = errors.New("no fault of that name has `trigger: script`")
	ErrTriggered = errors.New("it was triggered before, and comes once")
)

// Ready makes the timeline one that can be triggered, before it is played.
func (t *Timeline) Ready() {
	t.triggers = map[string]chan struct{}{}
	for _, e := range t.Entries {
		if e.Trigger != "" {
			t.triggers[e.Name] = make(chan struct{})
		}
	}
}

// Trigger makes an entry due that waits for it. It does not wait for its injection.
func (t *Timeline) Trigger(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.triggers[name]
	switch {
	case c == nil:
		return ErrNoTrigger
	case isClosed(c):
		return ErrTriggered
	}
	close(c)
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Play plays all entries and returns when every fault is taken back. When ctx ends,
// What is in is taken back at once, the last first, and nothing more is injected. Where
// the team's monitoring is asked and has not noticed a fault, it goes on until ctx ends.
func (t *Timeline) Play(ctx context.Context) []*Record {
	if t.triggers == nil {
		t.Ready()
	}
	t.cleared, t.when = map[string]chan struct{}{}, map[string]time.Duration{}
	for _, e := range t.Entries {
		t.cleared[e.Name] = make(chan struct{})
	}
	var wg sync.WaitGroup
	for i, e := range t.Entries {
		var w Monitor
		if e.Detect != nil {
			env := t.Env
			env.Allow = t.Ask
			w = e.Detect.Monitor(env, e.Name, t.event)
			wg.Go(func() { w.Run(ctx) })
			defer w.Finish()
		}
		wg.Go(func() {
			defer close(t.cleared[e.Name])
			t.entry(ctx, e, uint64(i), w)
			if w != nil {
				w.LastCame()
			}
		})
	}
	wg.Wait()
	t.rooted.calls.Wait()
	return t.records
}

// entry plays one entry: it waits until it is due, then plays its occurrences. Each
// comes when it is planned, whatever the one before needed, with one exception: it
// waits while the one before is not over. A one-shot's is over when its unit is healthy
// again, or when `within` has passed; the rest of its least phase gives way.
func (t *Timeline) entry(ctx context.Context, e *Entry, place uint64, w Monitor) {
	begin, relative := e.begin()
	if e.Trigger != "" {
		select {
		case <-t.triggers[e.Name]:
			begin += t.Env.Now()
		case <-ctx.Done():
			t.missed(e, t.Env.Now(), "the script never asked for it")
			return
		}
	}
	if relative {
		select {
		case <-t.cleared[e.After]:
		case <-ctx.Done():
			t.missed(e, begin, "the run ended before it was due")
			return
		}
		t.mu.Lock()
		at, ok := t.when[e.After]
		t.mu.Unlock()
		if !ok {
			if t.skipped(e.After) {
				t.missed(e, begin, e.After+" was skipped").Skipped = true
				return
			}
			t.missed(e, begin, e.After+" was not injected")
			return
		}
		begin += at
	}
	var before *Record
	all := e.Occurrences(begin, t.End)
	for i, p := range all {
		due := begin + p.Offset
		if due > t.End || !t.sleep(ctx, due) {
			t.missed(e, due, "the run ended before it was due")
			return
		}
		r := &Record{Name: p.Name, Fault: e.Name, Kind: e.Kind, N: -1, Planned: due, OneShot: e.OneShot(), Within: e.WithinOr(), watch: w}
		if before != nil && before.over > due {
			if before.over > t.End {
				t.missed(e, due, before.Name+" was not over before the load ended")
				return
			}
			r.Late = fmt.Sprintf("%s late: %s was not over before", quantity.FormatSeconds((before.over - due).Seconds()), before.Name)
			t.event("fault.late", r.Name, r.Late)
		}
		t.keep(r)
		rnd := rand.New(rand.NewPCG(t.Seed, place<<32|uint64(i)))
		next := time.Duration(math.MaxInt64)
		if i+1 < len(all) {
			next = begin + all[i+1].Offset
		}
		t.occurrence(ctx, e, p, r, rnd, next)
		before = r
		if r.N >= 0 {
			t.mu.Lock()
			t.when[e.Name] = r.Cleared
			t.mu.Unlock()
		}
	}
}

func (t *Timeline) keep(r *Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records = append(t.records, r)
}

func (t *Timeline) missed(e *Entry, due time.Duration, why string) *Record {
	r := &Record{Name: e.Name, Fault: e.Name, Kind: e.Kind, N: -1, Planned: due, OneShot: e.OneShot(), InjectErr: errors.New(why)}
	t.keep(r)
	t.event("fault.missed", e.Name, why)
	return r
}

// skipped tells whether every occurrence of a fault was.
func (t *Timeline) skipped(fault string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	any := false
	for _, r := range t.records {
		if r.Fault == fault {
			if any = true; !r.Skipped {
				return false
			}
		}
	}
	return any
}

func (t *Timeline) event(kind, fault, text string) {
	if t.Event != nil {
		t.Event(result.Event{T: result.Sec(t.Env.Now()), Event: kind, Fault: fault, Text: text})
	}
}

// sleep waits until at; false means that ctx ended first.
func (t *Timeline) sleep(ctx context.Context, at time.Duration) bool {
	timer := time.NewTimer(max(0, at-t.Env.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// sleepUnless waits until at, or until over is closed; false means that ctx ended first.
func (t *Timeline) sleepUnless(ctx context.Context, over <-chan struct{}, at time.Duration) bool {
	timer := time.NewTimer(max(0, at-t.Env.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}
