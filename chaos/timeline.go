package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos/docker"
	"brunt/scenarios"
)

// A Timeline plays the faults of a scenario while the load runs.
type Timeline struct {
	Entries  []*Entry
	Env      Env
	Journal  *Journal
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
	Event  func(scenarios.Event)

	triggers map[string]chan struct{} // closed when the entry of that name is triggered
	once     sync.Once
	refusal  error
	mu       sync.Mutex
	records  []*Record
	cleared  map[string]chan struct{}
	when     map[string]time.Duration
	rooted   rooted
	in       []*Record // under mu: those that are in, in the order of their injections
}

// A Record is what became of one occurrence of a fault. Times are offsets from t0.
type Record struct {
	Name     string // with #n where the fault came several times
	Fault    string
	Kind     string
	N        int // number of the occurrence that Inject gave; -1 when it was not injected
	Units    []string
	Zones    []string // that the fault was aimed at
	Leader   bool     // it was aimed at the leader
	Via      string
	Planned  time.Duration
	Injected time.Duration
	Verified time.Duration // 0 with VerifyErr or InjectErr
	Evidence string
	Cleared  time.Duration
	Gone     bool
	GoneText string
	Revert   Outcome
	Traffic  *Traffic // nil: the requests of the phase count
	Within   time.Duration
	OneShot  bool
	Early    bool   // taken back before its time, as the run ended
	Skipped  bool   // no unit matched, and that was allowed
	Late     string // why it came later than planned; empty where it came in time

	InjectErr error // nothing was done
	VerifyErr error // done, but without effect
	RevertErr error // not taken back

	Detect *Sighting // by the team's monitoring; nil where it is not asked

	watch   *watch
	held    []Held
	ids     []int         // entries of the journal
	voids   chan struct{} // closed when the fault is void
	back    chan struct{} // closed when it was taken back, or could not be
	voided  sync.Once
	voidWhy error
	over    time.Duration // it was taken back and looked for by then; its phase may go on
}

// revertFor bounds taking a fault back, which goes on when the run was cancelled.
const revertFor = 30 * time.Second

// verifyFor bounds the search for a fault's effect. No fault stays in for longer than
// it should as it is searched for, but for one that stays less than leastSearch.
const (
	verifyFor   = 10 * time.Second
	leastSearch = time.Second
)

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
// what is in is taken back at once, the last first, and nothing more is injected. Where
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
		var w *watch
		if e.Detect != nil {
			w = t.newWatch(e)
			wg.Go(func() { w.run(ctx) })
			defer w.finish()
		}
		wg.Go(func() {
			defer close(t.cleared[e.Name])
			t.entry(ctx, e, uint64(i), w)
			if w != nil {
				w.lastCame()
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
func (t *Timeline) entry(ctx context.Context, e *Entry, place uint64, w *watch) {
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
			r.Late = fmt.Sprintf("%s late: %s was not over before", scenarios.FormatSeconds((before.over - due).Seconds()), before.Name)
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
		t.Event(scenarios.Event{T: scenarios.Sec(t.Env.Now()), Event: kind, Fault: fault, Text: text})
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

// occurrence plays one occurrence from its plan to its end. The next of its entry is
// due at next.
func (t *Timeline) occurrence(ctx context.Context, e *Entry, p Planned, r *Record, rnd *rand.Rand, next time.Duration) {
	env := t.Env
	env.Rand, env.Block = rnd, e.Block
	env.At = t.Journal.point
	env.Spawned = func(pid int) error { return t.spawned(r, pid) }
	env.Extend = func(u Undo) error { return t.extend(r, u) }
	steps, err := e.Damage.Plan(ctx, env)
	if err == nil {
		err = env.Refused(steps)
	}
	if err != nil {
		r.InjectErr = err
		if r.Skipped = t.SkipNone && errors.Is(err, ErrNoUnit); r.Skipped {
			t.event("fault.skipped", r.Name, err.Error())
		} else {
			t.event("fault.failed", r.Name, err.Error())
		}
		return
	}
	for _, s := range steps {
		r.Units = append(r.Units, s.Units()...)
		r.Via = s.Via()
	}
	if z, ok := e.Damage.(Zoned); ok {
		r.Zones = z.InZones()
	}
	if l, ok := e.Damage.(Led); ok {
		r.Leader = l.LedBy() != nil
	}
	t.once.Do(func() {
		if t.Before != nil {
			t.refusal = t.Before(ctx)
		}
	})
	if t.refusal != nil {
		r.InjectErr = t.refusal
		return
	}
	if !t.inject(ctx, r, steps) {
		return
	}
	r.voids, r.back = make(chan struct{}), make(chan struct{})
	t.push(r)
	t.rooted.add(r)
	stays := p.For
	if t.MaxEach > 0 {
		stays = min(stays, t.MaxEach)
	}
	t.verify(ctx, r, stays)
	if !r.OneShot {
		r.Early = !t.sleepUnless(ctx, r.voids, r.Injected+stays)
	}
	t.rooted.drop(r)
	if r.Early {
		t.awaitLater(r)
	}
	t.revert(ctx, r)
	r.over = t.Env.Now()
	if r.OneShot && !t.Alone && !t.sleep(ctx, min(r.Injected+leastPhase, next)) {
		r.Early = true
	}
	r.Cleared = t.Clear(r.N)
	t.event("fault.cleared", r.Name, r.GoneText)
	if r.isVoid() {
		t.Void(r.N)
		r.N, r.Skipped, r.InjectErr = -1, true, r.voidWhy
	}
}

// push notes that a fault is in, and pop that it was taken back, or could not be.
func (t *Timeline) push(r *Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.in = append(t.in, r)
}

func (t *Timeline) pop(r *Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(r.back)
	t.in = slices.DeleteFunc(t.in, func(other *Record) bool { return other == r })
}

// inTurn bounds how long a fault waits for those that came after it: one that can't be taken back must not keep
// the others in.
const inTurn = 5 * time.Second

// awaitLater waits until what came after r is taken back, as a run that is ended takes everything back at once: the last
// first. A one-shot leaves nothing to take back.
func (t *Timeline) awaitLater(r *Record) {
	t.mu.Lock()
	i := slices.Index(t.in, r)
	later := slices.Clone(t.in[i+1:])
	t.mu.Unlock()
	timer := time.NewTimer(inTurn)
	defer timer.Stop()
	for _, l := range slices.Backward(later) {
		if l.OneShot {
			continue
		}
		select {
		case <-l.back:
		case <-timer.C:
			return
		}
	}
}

func (r *Record) isVoid() bool {
	select {
	case <-r.voids:
		return true
	default:
		return false
	}
}

// inject does all steps, or none.
func (t *Timeline) inject(ctx context.Context, r *Record, steps []Step) bool {
	for _, s := range steps {
		if undo := s.Undo(); len(undo) > 0 {
			id, err := t.Journal.Intent(r.Name, s.String(), undo)
			if err != nil {
				r.InjectErr = err
				break
			}
			r.ids = append(r.ids, id)
		}
	}
	if r.InjectErr == nil {
		r.N, r.Injected = t.Inject(r.Fault, r.Name)
		if r.watch != nil {
			r.Detect = r.watch.begin(r.Name, r.Injected)
		}
		for _, s := range steps {
			t.Journal.point("before inject")
			h, err := s.Inject(ctx)
			if h != nil {
				r.held = append(r.held, h)
			}
			if err != nil {
				r.InjectErr = fmt.Errorf("%s: %w", s, err)
				break
			}
			t.Journal.point("after inject")
		}
	}
	if r.InjectErr == nil {
		t.event("fault.injected", r.Name, describe(steps))
		return true
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.slowest(revertFor))
	defer cancel()
	for i := len(r.held) - 1; i >= 0; i-- {
		if _, err := r.held[i].Revert(undo); err != nil {
			r.RevertErr = also(r.RevertErr, err)
		}
	}
	t.settle(r)
	if r.N >= 0 {
		t.Void(r.N)
		r.N = -1
		if r.watch != nil {
			r.Detect = nil
			r.watch.drop()
		}
	}
	t.event("fault.failed", r.Name, r.InjectErr.Error())
	return false
}

// spawned writes down that a step has started a process.
func (t *Timeline) spawned(r *Record, pid int) error {
	undo, err := commandUndo(pid)
	if err != nil || len(r.ids) == 0 { // it has ended already, or leaves nothing to take back
		return err
	}
	return t.Journal.Extend(r.ids[len(r.ids)-1], undo)
}

// extend writes down what else takes the fault back that is in.
func (t *Timeline) extend(r *Record, u Undo) error {
	if len(r.ids) == 0 {
		return nil
	}
	return t.Journal.Extend(r.ids[len(r.ids)-1], u)
}

// settle closes the journal's entries of what is taken back, or notes there why it
// could not be.
func (t *Timeline) settle(r *Record) {
	for _, id := range r.ids {
		if r.RevertErr != nil {
			r.RevertErr = also(r.RevertErr, t.Journal.Failed(id, r.RevertErr))
			return
		}
		r.RevertErr = t.Journal.Done(id, cmp.Or(r.Revert, Reverted))
	}
}

// slowest is the time that the slowest of what is held may take, beyond most.
func (r *Record) slowest(most time.Duration) time.Duration {
	takes := time.Duration(0)
	for _, h := range r.held {
		if s, ok := h.(Slow); ok {
			takes = max(takes, s.Takes())
		}
	}
	return most + takes
}

// also joins errors in one line, for notes and reasons.
func also(errs ...error) error {
	var all oneLine
	for _, err := range errs {
		if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

type oneLine []error

func (l oneLine) Unwrap() []error { return l }

func (l oneLine) Error() string {
	var out []string
	for _, err := range l {
		out = append(out, err.Error())
	}
	return strings.Join(out, "; ")
}

func describe(steps []Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, s.String())
	}
	return strings.Join(out, "; ")
}

// verify finds the effect of what was injected, and stays in for some time.
func (t *Timeline) verify(ctx context.Context, r *Record, stays time.Duration) {
	most := r.slowest(verifyFor)
	if !r.OneShot {
		most = min(most, max(stays, leastSearch))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	defer cancel()
	var found []string
	for _, h := range r.held {
		text, err := h.Verify(ctx)
		if err != nil {
			r.VerifyErr = also(r.VerifyErr, err)
		} else if text != "" {
			found = append(found, text)
		}
	}
	r.Evidence = strings.Join(found, "; ")
	if r.VerifyErr != nil {
		t.event("fault.unverified", r.Name, r.VerifyErr.Error())
		return
	}
	r.Verified = t.Env.Now()
	t.event("fault.verified", r.Name, r.Evidence)
}

// revert takes back what is held, the last first, and finds that it is gone. A
// one-shot is waited for until it is healthy again, as long as within says.
//
// subtle: looking for it has a time of its own. A revert that is tried again may need
// most of what it has, and all is well when it succeeds late.
func (t *Timeline) revert(ctx context.Context, r *Record) {
	bounded := func() (context.Context, context.CancelFunc) {
		most := r.slowest(revertFor)
		if r.OneShot {
			most = max(time.Second, r.Injected+r.Within-t.Env.Now())
		}
		return context.WithTimeout(context.WithoutCancel(ctx), most)
	}
	undo, cancel := bounded()
	defer cancel()
	r.Gone, r.Revert = true, None
	var found []string
	for i := len(r.held) - 1; i >= 0; i-- {
		h := r.held[i]
		if m, ok := h.(Meter); ok {
			met := m.Met()
			if r.Traffic == nil {
				r.Traffic = &Traffic{Unit: met.Unit}
			}
			r.Traffic.N += met.N
		}
		t.Journal.point("before revert")
		out, err := h.Revert(undo)
		for err != nil && docker.Away(err) && t.sleep(undo, t.Env.Now()+again) { // its engine is started again
			out, err = h.Revert(undo)
		}
		t.Journal.point("after revert")
		if err != nil {
			r.RevertErr = also(r.RevertErr, err)
			r.Revert, r.Gone = Failed, false
			continue
		}
		if out != None && r.Revert != Failed {
			r.Revert = out
		}
	}
	t.pop(r)
	search, cancel := bounded()
	defer cancel()
	for _, h := range r.held {
		text, err := h.Gone(search)
		switch {
		case err != nil && r.OneShot:
			r.Gone = false
			r.GoneText = err.Error()
		case err != nil:
			r.RevertErr, r.Gone = also(r.RevertErr, err), false
		case text != "":
			found = append(found, text)
		}
	}
	t.settle(r)
	if r.Gone {
		r.GoneText = strings.Join(found, "; ")
	}
	t.event("fault.reverted", r.Name, string(r.Revert))
}

// StillDown asks once more, when the run is over, whether what a one-shot took down
// has come back.
func (r *Record) StillDown(ctx context.Context) error {
	if r.Gone || r.N < 0 {
		return nil
	}
	for _, h := range r.held {
		text, err := h.Gone(ctx)
		if err != nil {
			return err
		}
		if text != "" {
			r.GoneText = text + ", but too late"
		}
	}
	return nil
}
