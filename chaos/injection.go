package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An injection is an occurrence of a fault while the timeline plays it.
type injection struct {
	*Record
	group    *injection // that it is a step of; nil if it is none
	of       Fault      // what is injected
	monitor  Monitor
	ids      []int         // journal entries
	deadline time.Time     // of the entries
	voids    chan struct{} // closed when the fault is void
	back     chan struct{} // closed when it is reverted, or when the revert failed
	voided   sync.Once
	voidWhy  error
	took     atomic.Pointer[TakenBackError] // of a step of a group: what took it back, where brunt did not; nil: nothing did
	left     []Held                         // faults on units that are gone, which a fault that follows others outlives
	over     time.Duration                  // when the revert and its proof were over; the phase may last longer
}

// void ends an occurrence early: its effect is gone, and nothing that follows can be judged.
// It is false if the occurrence was void before.
func (r *injection) void(why error) (now bool) {
	if r.group != nil {
		return r.group.void(fmt.Errorf("%s: %w", r.Name, why))
	}
	r.voided.Do(func() {
		now = true
		r.voidWhy = why
		close(r.voids)
	})
	return now
}

// asRole says which role the units had when the fault picked them; empty if they were not asked.
func (r *Record) asRole() string {
	if r.Role == "" {
		return ""
	}
	return fmt.Sprintf(" (%s, because asked: %s)", r.Role, r.RoleSaid)
}

// isOverdue reports whether the occurrence is past its deadline in the journal.
func (r *injection) isOverdue() bool { return time.Now().After(r.deadline) }

func (r *injection) isVoid() bool { return isClosed(r.voids) }

// slowest returns most plus the time that the slowest of the held faults may need.
func (r *injection) slowest(most time.Duration) time.Duration {
	takes := time.Duration(0)
	for _, h := range r.Held {
		takes = max(takes, h.Traits().Takes)
	}
	return most + takes
}

// revertFor bounds a revert. The revert continues when the run is cancelled.
const revertFor = 30 * time.Second

// askFor bounds the second search for the proof that a reverted fault is over, where no probe was answered in the first.
const askFor = time.Minute

// play plays one occurrence from its plan to its end. The entry's next occurrence is due at
// next.
func (t *Timeline) play(ctx context.Context, e *Entry, p Planned, r *injection, rnd *rand.Rand, next time.Duration) {
	env := t.Env
	env.Rand, env.At, env.Roles = rnd, t.Journal.Point, new(Roles)
	env.Extend = func(u Undo) error { return t.extend(r, u) }
	stays := p.For
	if t.MaxEach > 0 {
		stays = min(stays, t.MaxEach)
	}
	env.Stays, env.Choice = stays, e.choice()
	if _, group := e.Damage.(*Group); group {
		t.playGroup(ctx, e, stays, r, env, next)
		return
	}
	at := t.present(ctx, &env)
	steps, err := e.plan(ctx, env)
	if err != nil {
		t.notPlanned(r, err)
		return
	}
	for _, s := range steps {
		r.hits(s)
	}
	r.Zones = e.Traits(Scope{}).Zones
	r.Role, r.RoleSaid = env.Roles.Of(r.Units)
	if r.InjectErr = t.first.do(ctx, t.Before); r.InjectErr != nil {
		return
	}
	if !t.inject(ctx, r, steps, stays) {
		return
	}
	r.voids, r.back = make(chan struct{}), make(chan struct{})
	t.push(r)
	t.injected.add(r)
	t.verify(ctx, r, stays)
	if !r.OneShot {
		r.Early = !t.stay(ctx, Followed{Entry: e, Env: env, At: at, Planned: steps, Until: r.Injected + stays}, r, r.voids)
	}
	t.awake()
	t.endedBefore(ctx, r)
	t.injected.drop(r)
	if r.Early {
		t.awaitLater(r)
	}
	t.revert(ctx, r)
	r.over = t.Env.Now()
	t.clear(ctx, r, r.Injected+leastPhase, next)
}

// notPlanned records that an occurrence could not be planned, or was skipped because nothing matches.
func (t *Timeline) notPlanned(r *injection, err error) {
	r.InjectErr = err
	if r.Skipped = t.SkipNone && errors.Is(err, ErrNoUnit); r.Skipped {
		t.event("fault.skipped", r.Name, err.Error())
		return
	}
	t.event("fault.failed", r.Name, err.Error())
}

// clear ends the phase of an occurrence that is over. That of a one-shot lasts until least, unless its
// next occurrence comes earlier: a few requests show nothing.
func (t *Timeline) clear(ctx context.Context, r *injection, least, next time.Duration) {
	if r.OneShot && !t.Alone {
		r.Cleared = r.over
		t.event("fault.cleared", r.Name, r.GoneText)
		r.Early = !t.sleep(ctx, min(least, next))
		r.Until = t.Clear(r.N)
	} else {
		r.Until = t.Clear(r.N)
		r.Cleared = r.Until
		t.event("fault.cleared", r.Name, r.GoneText)
	}
	if !r.isVoid() {
		return
	}
	if taken, ok := errors.AsType[TakenBackError](r.voidWhy); ok { // the effect was there, up to then
		r.TakenBack, r.Cleared = r.voidWhy, taken.At
		return
	}
	t.Void(r.N)
	r.N, r.Skipped, r.InjectErr = -1, true, fmt.Errorf("void: %w", r.voidWhy)
}

// push records that a fault is injected; pop records that it was reverted, or that the revert failed.
func (t *Timeline) push(r *injection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.in = append(t.in, r)
}

func (t *Timeline) pop(r *injection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(r.back)
	t.overdue = t.overdue || r.isOverdue()
	t.in = slices.DeleteFunc(t.in, func(other *injection) bool { return other == r })
}

// verifyFor bounds the search for the effect of a fault. The search does not keep a fault injected for
// longer than planned, except that it always lasts at least leastSearch.
const (
	verifyFor   = 10 * time.Second
	leastSearch = time.Second
)

// inTurn bounds how long a fault waits for the revert of later ones: a fault that cannot be reverted
// must not keep the others injected.
const inTurn = 5 * time.Second

// awaitLater waits until the faults injected after r are reverted: a run that ends reverts everything
// at once, the last first. A one-shot has nothing to revert.
func (t *Timeline) awaitLater(r *injection) {
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

// deadlineMargin is the time that an occurrence may need besides the time that it stays injected:
// for the injection, the proofs and a revert that is retried.
const deadlineMargin = 5 * time.Minute

// inject injects all steps, or none. They stay for the given time.
func (t *Timeline) inject(ctx context.Context, r *injection, steps []Step, stays time.Duration) bool {
	if r.InjectErr = t.Env.Refused(ctx, r.of, steps, true); r.InjectErr != nil {
		t.drop(r)
		return false
	}
	now, until := time.Now(), time.Time{}
	if !r.OneShot {
		until = now.Add(stays)
	}
	r.deadline = now.Add(max(stays, r.Within) + deadlineMargin)
	for _, s := range steps {
		if undo := s.Undo(); len(undo) > 0 {
			id, err := t.Journal.Intent(Intent{Fault: r.Name, What: s.String(), Undo: undo, Until: until, Deadline: r.deadline})
			if err != nil {
				r.InjectErr = err
				break
			}
			r.ids = append(r.ids, id)
		}
	}
	if r.InjectErr == nil {
		t.begin(r)
		for _, s := range steps {
			t.Journal.Point("before inject")
			h, err := s.Inject(ctx)
			if h != nil {
				r.Held = append(r.Held, h)
			}
			if err != nil {
				r.InjectErr = fmt.Errorf("%s: %w", s, err)
				break
			}
			t.Journal.Point("after inject")
		}
	}
	if r.InjectErr == nil {
		t.event("fault.injected", r.Name, describe(steps)+r.asRole())
		t.begun(r.Fault, r.Injected)
		return true
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.slowest(revertFor))
	defer cancel()
	for i := len(r.Held) - 1; i >= 0; i-- {
		if _, err := r.Held[i].Revert(undo); err != nil {
			r.RevertErr = JoinErrors(r.RevertErr, err)
		}
	}
	t.settle(r)
	t.drop(r)
	return false
}

// drop takes an occurrence out of the run after its injection failed.
func (t *Timeline) drop(r *injection) {
	if r.N >= 0 {
		t.Void(r.N)
		r.N = -1
		if r.monitor != nil {
			r.Detect = nil
			r.monitor.Drop()
		}
	}
	t.event("fault.failed", r.Name, r.InjectErr.Error())
}

// begin records that an occurrence begins, just before its injection. A group begins with its first
// step.
func (t *Timeline) begin(r *injection) {
	if g := r.group; g != nil {
		if r.Injected = t.Env.Now(); g.N < 0 {
			t.begin(g)
			r.Injected = g.Injected
		}
		return
	}
	r.N, r.Injected = t.Inject(r.Fault, r.Name)
	if r.monitor != nil {
		r.Detect = r.monitor.Begin(r.Name, r.Injected)
	}
}

// extend adds an undo to the last journal entry of an injected fault.
func (t *Timeline) extend(r *injection, u Undo) error {
	if len(r.ids) == 0 {
		return nil
	}
	return t.Journal.Extend(r.ids[len(r.ids)-1], u)
}

// settle closes the journal entries of a reverted fault, or notes there why the revert failed.
func (t *Timeline) settle(r *injection) {
	for _, id := range r.ids {
		if r.RevertErr != nil {
			r.RevertErr = JoinErrors(r.RevertErr, t.Journal.Failed(id, r.RevertErr))
			return
		}
		r.RevertErr = t.Journal.Done(id, cmp.Or(r.Revert, Reverted))
	}
}

func describe(steps []Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, s.String())
	}
	return strings.Join(out, "; ")
}

// verify looks for the effect of an injected fault, which stays for the given time.
func (t *Timeline) verify(ctx context.Context, r *injection, stays time.Duration) {
	most := r.slowest(verifyFor)
	if !r.OneShot {
		most = min(most, max(stays, leastSearch))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	defer cancel()
	var found []string
	for _, h := range r.Held {
		text, err := h.Verify(ctx)
		if err != nil {
			r.VerifyErr = JoinErrors(r.VerifyErr, err)
		} else if text != "" {
			found = append(found, text)
		}
	}
	t.verified(r, found)
}

// verified records what was found of the effect of a fault.
func (t *Timeline) verified(r *injection, found []string) {
	r.Evidence = strings.Join(found, "; ")
	if r.VerifyErr != nil {
		t.event("fault.unverified", r.Name, r.VerifyErr.Error())
		return
	}
	r.Verified = t.Env.Now()
	t.event("fault.verified", r.Name, r.Evidence)
}

// count adds the traffic that a held fault affected. It is unknown where none was counted, and some could not be.
func (r *injection) count(affected func() Traffic) {
	if affected == nil {
		return
	}
	hit := affected()
	if r.Traffic == nil {
		r.Traffic = &Traffic{}
	}
	switch t := r.Traffic; {
	case t.N == 0: // steps may count differently: the first that counted any has the unit
		t.N, t.Unit = hit.N, hit.Unit
	case t.Unit == hit.Unit:
		t.N += hit.N
	}
	r.Traffic.Unknown = r.Traffic.N == 0 && (r.Traffic.Unknown || hit.Unknown)
}

// revert reverts the held faults, the last first, and proves that their effect is over. A one-shot is
// given until `within` to be healthy again.
//
// subtle: the search has a time limit of its own. A revert that is retried may use up most of its time
// and still succeed.
func (t *Timeline) revert(ctx context.Context, r *injection) {
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
	for i := len(r.Held) - 1; i >= 0; i-- {
		h := r.Held[i]
		r.count(h.Traits().Affected)
		t.Journal.Point("before revert")
		out, err := h.Revert(undo)
		if err != nil && Away(err) {
			for Away(err) && t.sleep(undo, t.Env.Now()+RetryEvery) { // the engine restarts
				out, err = h.Revert(undo)
			}
			t.awake() // a watchdog elsewhere may have reverted it meanwhile
		}
		t.Journal.Point("after revert")
		if err != nil {
			r.RevertErr = JoinErrors(r.RevertErr, err)
			r.Revert, r.Gone = Failed, false
			continue
		}
		if out != None && r.Revert != Failed && (!slices.Contains(r.left, h) || r.Revert == None) {
			r.Revert = out
		}
	}
	if r.Traffic != nil && r.Traffic.Unknown {
		r.Traffic = nil
	}
	t.pop(r)
	search, cancel := bounded()
	defer cancel()
	for _, h := range r.Held {
		text, err := h.Gone(search)
		if unanswered := errors.Is(err, ErrNoAnswer) && !r.OneShot && r.Revert != Failed; unanswered {
			if text, err = t.askAgain(ctx, r, h); errors.Is(err, ErrNoAnswer) {
				r.GoneErr, r.Gone = JoinErrors(r.GoneErr, err), false
				continue
			}
		}
		switch {
		case err != nil && r.OneShot:
			r.Gone = false
			r.GoneText = err.Error()
		case err != nil:
			r.RevertErr, r.Gone = JoinErrors(r.RevertErr, err), false
		case text != "":
			found = append(found, text)
		}
	}
	t.settle(r)
	switch {
	case r.Gone:
		r.GoneText = strings.Join(found, "; ")
	case r.GoneErr != nil && r.RevertErr == nil:
		r.Revert = Unverified
	}
	t.event("fault.reverted", r.Name, string(r.Revert))
}

// askAgain looks for the proof that a reverted fault is over for longer: the machine was too busy to answer a probe.
func (t *Timeline) askAgain(ctx context.Context, r *injection, h Held) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.slowest(askFor))
	defer cancel()
	return h.Gone(ctx)
}
