package timeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// A Timeline plays the faults of a scenario while the load runs.
type Timeline struct {
	Entries  []*Entry
	Env      chaos.Env
	Journal  chaos.Recorder
	Seed     uint64
	MaxEach  time.Duration // the longest time that a fault stays injected; zero is unlimited
	Alone    bool          // no load is measured: the phase of a one-shot ends when its unit is healthy again
	SkipNone bool          // a selector that matches nothing skips its fault instead of failing it
	End      time.Duration // end of the load
	Ask      [][]string    // allow-lists, besides loopback, for the team's monitoring: entries of guard.allow

	// Theirs says that brunt has started none of the target's units, so that only brunt tells their owner that one stays
	// down after a fault.
	Theirs bool
	// Whole says that a fault which was missing from a unit for a while is void, although it is injected again.
	Whole bool

	Phases
	// Before is called once, before the first injection. An error prevents every injection.
	Before func(ctx context.Context) error
	// Awake is called when a fault is due, and before one is reverted, because brunt itself may have stood still until
	// then. It calls TakenBack if a watchdog has reverted faults meanwhile, for whatever reason. overdue says that a fault
	// is, or was, past its deadline in the journal: a watchdog then reverts it in any case, together with everything that
	// the same undo reverts. Awake may be nil.
	Awake func(overdue bool)
	Event func(result.Event)

	first    firstInjection
	mu       sync.Mutex
	states   map[string]*entryState // by the name of the entry
	records  records
	injected injectedFaults
	in       []*injection      // the injected faults, in the order of their injection
	overdue  bool              // a fault was reverted only after its deadline
	still    standstill        // the last time that brunt itself stood still
	endings  map[string]ending // by unit
}

// Phases record, on the run's clock, when occurrences are injected.
type Phases struct {
	// Inject records that an occurrence begins, just before its injection. Clear records that it is reverted; the proof
	// that it is over follows later, outside the phase.
	Inject func(fault, occurrence string) (n int, at time.Duration)
	Clear  func(n int) time.Duration
	// Void removes the record of an occurrence that was not injected.
	Void func(n int)
}

// Unmeasured returns Phases for faults without a measurement; now is the run's clock.
func Unmeasured(now func() time.Duration) Phases {
	return Phases{
		Inject: func(string, string) (int, time.Duration) { return 0, now() },
		Clear:  func(int) time.Duration { return now() },
		Void:   func(int) {},
	}
}

// An entryState says how far an entry has been played.
type entryState struct {
	triggered chan struct{} // closed when its script triggers it, or an operator continues it; nil if it needs neither
	operator  bool          // it waits for an operator
	waits     *Waiting      // that wait; nil before it begins
	begun     chan struct{} // closed when its first occurrence is injected
	from      time.Duration // time of that injection
	announced time.Duration // when begun was closed: an injection may take a while
	cleared   chan struct{} // closed when its last occurrence is over and that is proved
	ended     time.Duration // time of that end, even if no occurrence was injected
	injected  bool          // at least one of its occurrences was injected
	at        time.Duration // when the last injected occurrence was cleared
}

// A firstInjection calls a function once, before the first injection, and keeps its error.
type firstInjection struct {
	once sync.Once
	err  error
}

func (f *firstInjection) do(ctx context.Context, before func(context.Context) error) error {
	f.once.Do(func() {
		if before != nil {
			f.err = before(ctx)
		}
	})
	return f.err
}

// Errors of [Timeline.Trigger] and [Timeline.Continue].
var (
	ErrNoTrigger = errors.New("no fault of that name has `trigger: script`")
	errNoWait    = errors.New("it does not wait for an operator")
	errNotYet    = errors.New("its time has not come yet")
	errContinued = errors.New("it was continued before")
	errGivenUp   = errors.New("its wait for an operator is over")
	errTriggered = errors.New("it was triggered before, and comes once")
)

// Ready prepares the timeline for triggers. It is called before Play.
func (t *Timeline) Ready() {
	t.states = map[string]*entryState{}
	for _, e := range t.Entries {
		s := &entryState{begun: make(chan struct{}), cleared: make(chan struct{})}
		if s.operator = e.Wait.ForOperator(); e.Trigger != "" || s.operator {
			s.triggered = make(chan struct{})
		}
		t.states[e.Name] = s
	}
}

// Trigger makes a waiting entry due. It does not wait for the injection.
func (t *Timeline) Trigger(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.states[name]
	switch {
	case s == nil || s.triggered == nil || s.operator:
		return ErrNoTrigger
	case isClosed(s.triggered):
		return errTriggered
	}
	close(s.triggered)
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

// Play plays all entries and returns when every fault is reverted. When ctx ends, it reverts all injected faults at
// once, the last first, and injects no more. If the team's monitoring is asked and has not noticed a fault, Play
// continues until ctx ends.
func (t *Timeline) Play(ctx context.Context) []*chaos.Record {
	if t.states == nil {
		t.Ready()
	}
	var wg sync.WaitGroup
	for i, e := range t.Entries {
		var w chaos.Monitor
		if e.Detect != nil {
			on := t.Env.Host
			on.Allow = t.Ask
			w = e.Detect.Monitor(on, t.Env.Now, e.Name, t.event)
			wg.Go(func() { w.Run(ctx) })
			defer w.Finish()
		}
		wg.Go(func() {
			defer t.ended(e.Name)
			t.entry(ctx, e, uint64(i), w)
			if w != nil {
				w.LastCame()
			}
		})
	}
	wg.Wait()
	t.injected.calls.Wait()
	return t.records.list()
}

// entry waits until an entry is due, then plays its occurrences. Each begins at its planned time,
// however long the previous one took, with one exception: it waits until the previous one is over. A
// one-shot is over when its unit is healthy again or when `within` has passed; the rest of its least
// phase is cut short.
func (t *Timeline) entry(ctx context.Context, e *Entry, place uint64, w chaos.Monitor) {
	begin, relative := e.begin()
	if e.Trigger != "" {
		select {
		case <-t.states[e.Name].triggered:
			begin += t.Env.Now()
		case <-ctx.Done():
			t.missed(e, t.Env.Now(), "the script never asked for it")
			return
		}
	}
	free := time.Duration(0) // the time since which only brunt itself delays the next occurrence
	if relative {
		at, known, ok := t.follow(ctx, e)
		if !ok {
			return
		}
		begin, free = begin+at, known
	}
	if e.Wait.ForOperator() {
		at, ok := t.awaitOperator(ctx, e, begin)
		if !ok {
			return
		}
		begin, free = at, at
	}
	var before *injection
	all := e.Occurrences(begin, t.End)
	for i, p := range all {
		due := begin + p.Offset
		if due > t.End || !t.sleep(ctx, due) {
			t.missed(e, due, "the run ended before it was due")
			return
		}
		t.awake()
		// without a load, no moment is better than another
		if late := t.Env.Now() - max(due, free); late > mostLate && !t.Alone {
			t.missedAs(p.Name, e, due, tooLate(late))
			continue // a later one may be in time
		}
		r := &injection{
			Record: &chaos.Record{
				Name: p.Name, Fault: e.Name, Kind: e.Kind, Nature: e.Nature(), N: -1, Planned: due, OneShot: e.OneShot(),
				Within: e.WithinOr(), Part: e.Traits(chaos.Scope{}).Part,
			},
			monitor: w, of: e.Damage,
		}
		if before != nil && before.Over > due {
			if before.Over > t.End {
				t.missed(e, due, before.Name+" was not over before the load ended")
				return
			}
			r.Late = fmt.Sprintf("%s late: %s was not over before", quantity.FormatSeconds((before.Over - due).Seconds()),
				before.Name)
			t.event("fault.late", r.Name, r.Late)
		}
		t.keep(r.Record)
		rnd := rand.New(rand.NewPCG(t.Seed, place<<32|uint64(i)))
		next := time.Duration(math.MaxInt64)
		if i+1 < len(all) {
			next = begin + all[i+1].Offset
		}
		t.play(ctx, e, p, r, rnd, next)
		release(r.Record)
		t.pack(r.Record)
		if before = r; r.Over == 0 { // it was not injected
			r.Over = t.Env.Now()
		}
		free = r.Over
		if r.N >= 0 {
			t.mu.Lock()
			t.states[e.Name].at, t.states[e.Name].injected = r.Until, true
			t.mu.Unlock()
		}
	}
}

// follow waits until the fault that an entry follows is over, or injected. It returns when that was, and when it became
// known: a last occurrence that fails may take a while. If that never comes, it records that the entry was missed, with
// the time for which it was forecast.
func (t *Timeline) follow(ctx context.Context, e *Entry) (at, known time.Duration, ok bool) {
	after := t.states[e.After]
	var begun chan struct{} // nil: only the end counts
	if e.Since == sinceInjection {
		begun = after.begun
	}
	select {
	case <-begun:
	case <-after.cleared:
	case <-ctx.Done():
		t.missed(e, t.forecast(e), "the run ended before it was due").Skipped = t.unattended(e.After)
		return 0, 0, false
	}
	t.mu.Lock()
	at, known, ok = after.at, after.ended, after.injected
	if e.Since == sinceInjection {
		at, known, ok = after.from, after.announced, isClosed(after.begun)
	}
	t.mu.Unlock()
	if !ok {
		if t.skipped(e.After) {
			t.missed(e, t.forecast(e), e.After+" was skipped").Skipped = true
			return 0, 0, false
		}
		t.missed(e, t.forecast(e), e.After+" was not injected")
		return 0, 0, false
	}
	return at, known, true
}

// forecast returns the time for which [Estimate] forecasts an entry. It is the present time if the entry follows one
// that a script triggers.
func (t *Timeline) forecast(e *Entry) time.Duration {
	for _, est := range Estimate(t.Entries, t.End) {
		if est.Entry == e {
			return est.At
		}
	}
	return t.Env.Now()
}

// ended records that no more occurrences of a fault follow.
func (t *Timeline) ended(fault string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.states[fault]
	s.ended = t.Env.Now()
	close(s.cleared)
}

// begun records that an occurrence of a fault, or a step of it, is injected.
func (t *Timeline) begun(fault string, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.states[fault]; s != nil && !isClosed(s.begun) {
		s.from, s.announced = at, t.Env.Now()
		close(s.begun)
	}
}

func (t *Timeline) keep(r *chaos.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records.all = append(t.records.all, r)
}

// pack keeps a record that is over in less memory.
func (t *Timeline) pack(r *chaos.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records.pack(r)
}

func (t *Timeline) missed(e *Entry, due time.Duration, why string) *chaos.Record {
	return t.missedAs(e.Name, e, due, why)
}

// missedAs records an occurrence that is not injected.
func (t *Timeline) missedAs(name string, e *Entry, due time.Duration, why string) *chaos.Record {
	r := &chaos.Record{
		Name: name, Fault: e.Name, Kind: e.Kind, Nature: e.Nature(), N: -1, Planned: due,
		OneShot: e.OneShot(), InjectErr: errors.New(why),
	}
	t.keep(r)
	t.event("fault.missed", name, why)
	return r
}

// skipped reports whether every occurrence of a fault was skipped.
func (t *Timeline) skipped(fault string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.records.skipped(fault)
}

func (t *Timeline) event(kind, fault, text string) {
	t.tell(result.Event{Event: kind, Fault: fault, Text: text})
}

// tellInjected reports that an occurrence is injected, and when its injection began.
func (t *Timeline) tellInjected(r *injection, text string) {
	t.tell(result.Event{
		Event: "fault.injected", Fault: r.Name, Text: text, Data: map[string]any{result.BegunData: r.Injected.Seconds()},
	})
}

// reverted reports how an occurrence was reverted.
func (t *Timeline) reverted(r *injection) {
	t.tell(result.Event{
		Event: "fault.reverted", Fault: r.Name, Text: string(r.Revert), Data: map[string]any{result.OutcomeData: r.Revert},
	})
}

// tell passes an event on, with the present time.
func (t *Timeline) tell(e result.Event) {
	if t.Event != nil {
		e.T = result.Sec(t.Env.Now())
		t.Event(e)
	}
}

// sleep waits until at. It returns false if ctx ended first.
func (t *Timeline) sleep(ctx context.Context, at time.Duration) bool {
	return t.sleepUnless(ctx, nil, at)
}

// sleepUnless waits until at, or until over is closed. It returns false if ctx ended first.
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

// present returns the units that exist now, for the plan of an occurrence. For a target that does not change, these are
// the units from before the run.
func (t *Timeline) present(ctx context.Context, env *chaos.Env) chaos.Present {
	if env.Present == nil {
		return chaos.Present{}
	}
	now, err := env.Present(ctx)
	if err != nil {
		return chaos.Present{} // Plan itself returns the reason
	}
	env.Units, env.Zones = now.Units, now.Zones
	return now
}
