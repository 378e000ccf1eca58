package timeline

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

	"brunt/chaos"
)

// An injection is an occurrence of a fault while the timeline plays it.
type injection struct {
	*chaos.Record
	group    *injection  // the group that it is a step of; nil: none
	of       chaos.Fault // the fault that is injected
	monitor  chaos.Monitor
	began    time.Duration // when its plan began
	ids      []int         // journal entries
	deadline time.Time     // of the entries
	voids    chan struct{} // closed when the fault is void
	end      atomic.Pointer[earlyEnd]
	back     chan struct{} // closed when the fault is reverted, or its revert failed
	left     []chaos.Held  // faults on units that are gone, if the fault follows units
	starved  []chaos.Held  // faults of which it was told that the kernel killed their own process for want of memory
	partly   []partial     // what the proofs have not shown
	until    time.Duration // its planned end
	stays    time.Duration // its planned time; zero for a one-shot
	proved   chan struct{} // closed when the first search for its effect is over
	proving  sync.Mutex    // guards what the record says of its effect, after that
	again    reinjections
}

// partial is what the proof of a held fault has not shown.
type partial struct {
	held chaos.Held
	what string
}

// asRole describes the role that the units had when the fault picked them; empty if they were not asked.
func (r *injection) asRole() string {
	if r.Role == "" {
		return ""
	}
	return fmt.Sprintf(" (%s, because asked: %s)", r.Role, r.RoleSaid)
}

// hits adds to the record the units and links that a step is about to hit.
func (r *injection) hits(s chaos.Step) {
	r.Units, r.Via = append(r.Units, s.Units()...), s.Via()
	r.Links = appendNew(r.Links, chaos.LinksOf(s)...)
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

// askFor bounds the second search for the proof that a reverted fault is over, which follows if no probe was answered
// in the first.
const askFor = time.Minute

// play plays one occurrence from its plan to its end. next is the time at which the entry's next occurrence is due.
func (t *Timeline) play(ctx context.Context, e *Entry, p Planned, r *injection, rnd *rand.Rand, next time.Duration) {
	env := t.Env
	r.began = env.Now()
	env.Rand, env.At, env.Roles = rnd, t.Journal.Point, new(chaos.Roles)
	env.Extend = func(u chaos.Undo) error { return t.extend(r, u) }
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
		t.notPlanned(ctx, r, err)
		return
	}
	for _, s := range steps {
		r.hits(s)
	}
	r.Zones = e.Traits(chaos.Scope{}).Zones
	r.Role, r.RoleSaid = env.Roles.Of(r.Units)
	r.Led = env.Roles.Leader()
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
		r.Early = !t.stay(ctx, staying{entry: e, env: env, at: at, steps: steps, until: r.Injected + stays}, r, r.voids)
	}
	t.awake()
	t.endedBefore(context.WithoutCancel(ctx), r, true, func(_ chaos.Held, why error) {
		t.void(r, t.Env.Now(), why)
		t.awake() // a watchdog may have ended the holder since
	})
	t.injected.drop(r)
	r.again.proofs.Wait()
	if r.Early {
		t.awaitLater(r)
	}
	t.lift(ctx, r)
	if !r.OneShot {
		t.clear(r, "")
	}
	t.lostBefore(r)
	t.prove(ctx, r)
	r.Over = t.Env.Now()
	if r.OneShot {
		t.clearOnce(ctx, r, r.Injected+leastPhase, next)
	}
	r.endEarly()
}

// notPlanned records that an occurrence could not be planned, or was skipped because no unit matches.
func (t *Timeline) notPlanned(ctx context.Context, r *injection, err error) {
	r.InjectErr = t.whyFailed(ctx, r, err)
	if r.Skipped = t.SkipNone && errors.Is(err, chaos.ErrNoUnit); r.Skipped {
		t.event("fault.skipped", r.Name, r.InjectErr.Error())
		return
	}
	t.event("fault.failed", r.Name, r.InjectErr.Error())
}

// clear ends the phase of an occurrence now, even if its revert failed: the time after it is no trial of the fault.
func (t *Timeline) clear(r *injection, why string) {
	r.Until = t.Clear(r.N)
	r.Cleared = r.Until
	t.cleared(r, why)
}

// cleared reports that an occurrence was reverted, unless the revert failed.
func (t *Timeline) cleared(r *injection, why string) {
	if r.Revert != chaos.Failed {
		t.event("fault.cleared", r.Name, why)
	}
}

// clearOnce ends the phase of a one-shot whose unit is healthy again. The phase lasts at least until least, since a few
// requests prove nothing, unless the next occurrence comes earlier.
func (t *Timeline) clearOnce(ctx context.Context, r *injection, least, next time.Duration) {
	if t.Alone {
		t.clear(r, r.GoneText)
		return
	}
	r.Cleared = r.Over
	t.cleared(r, r.GoneText)
	r.Early = !t.sleep(ctx, min(least, next))
	r.Until = t.Clear(r.N)
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

// inTurn bounds how long a fault waits for the revert of later ones, and how long a failed revert is retried: a fault
// that cannot be reverted must not keep the others injected.
const inTurn = 5 * time.Second

// revertHeld reverts a held fault. It retries a failed revert for as long as other faults wait for it, inTurn.
func revertHeld(ctx context.Context, h chaos.Held) (chaos.Outcome, error) {
	return chaos.TryAgain(ctx, inTurn, 0, func() (chaos.Outcome, error) { return h.Revert(ctx) })
}

// awaitLater waits until the faults that were injected after r are reverted, at most inTurn: a run that ends reverts
// all of them at once, the last first. One-shots have nothing to revert.
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

// deadlineMargin is the time that an occurrence may need besides the time that it stays injected: for the injection,
// the proofs, and a revert that is retried.
const deadlineMargin = 5 * time.Minute

// inject injects all steps, or none. They stay for the given time.
func (t *Timeline) inject(ctx context.Context, r *injection, steps []chaos.Step, stays time.Duration) bool {
	if r.InjectErr = t.Env.Refused(ctx, r.of, steps, true); r.InjectErr != nil {
		t.drop(r)
		return false
	}
	now, until := time.Now(), time.Time{}
	if !r.OneShot {
		until = now.Add(stays)
	}
	r.deadline = now.Add(max(stays, r.Within) + deadlineMargin)
	r.until, r.stays, r.proved = t.Env.Now()+stays, stays, make(chan struct{})
	for _, s := range steps {
		if undo := s.Undo(); len(undo) > 0 {
			id, err := t.Journal.Intent(chaos.Intent{
				Fault: r.Name, What: s.String(), Undo: undo, Until: until, Deadline: r.deadline,
			})
			if err != nil {
				r.InjectErr = err
				break
			}
			r.ids = append(r.ids, id)
		}
	}
	var releases []func() error
	if r.InjectErr == nil {
		releases, r.InjectErr = prepareAll(ctx, steps)
	}
	if r.InjectErr == nil {
		r.InjectErr = t.delayed(r)
	}
	if r.InjectErr == nil {
		t.begin(r)
		for _, s := range steps {
			t.Journal.Point("before inject")
			h, err := s.Inject(ctx)
			releases = releases[1:]
			if h != nil {
				r.Held = append(r.Held, h)
				r.again.name(h, chaos.UnitOf(s))
				r.LeftDown = r.LeftDown || h.Traits().StaysDown
			}
			if err != nil {
				r.InjectErr = stepError(s, err)
				break
			}
			t.Journal.Point("after inject")
		}
	}
	if r.InjectErr == nil {
		t.noteEnding(r) // what is held may say that it ends its unit
		t.tellInjected(r, describe(steps)+r.asRole())
		t.begun(r.Fault, r.Injected)
		return true
	}
	r.InjectErr = t.whyFailed(ctx, r, r.InjectErr)
	for _, release := range releases {
		r.InjectErr = chaos.JoinErrors(r.InjectErr, release())
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.slowest(revertFor))
	defer cancel()
	for i := len(r.Held) - 1; i >= 0; i-- {
		if _, err := revertHeld(undo, r.Held[i]); err != nil {
			r.RevertErr = chaos.JoinErrors(r.RevertErr, err)
		}
	}
	t.settle(r)
	t.drop(r)
	return false
}

// errOvertaken is why an occurrence was not injected if the run ended while brunt planned or prepared it.
var errOvertaken = errors.New("the run ended before it was injected")

// overtaken returns errOvertaken for an error that only says that ctx is canceled, and every other error as it is.
func overtaken(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errOvertaken
	}
	return err
}

// A preparer is a step that gets ready before its injection. Prepare does everything that harms no request, such as
// opening networks and probing before the fault, so that none of it falls into the phase of the fault. Either Inject or
// release follows; release may be nil. After an error nothing is left. An Inject without a Prepare prepares by itself.
type preparer interface {
	Prepare(ctx context.Context) (release func() error, err error)
}

// prepareAll makes the steps ready, at once. It returns one function for each step, which releases what Prepare made if
// the step is not injected. After an error they do that for the other steps.
func prepareAll(ctx context.Context, steps []chaos.Step) ([]func() error, error) {
	releases, errs := make([]func() error, len(steps)), make([]error, len(steps))
	var all sync.WaitGroup
	for i, s := range steps {
		releases[i] = func() error { return nil }
		p, ok := s.(preparer)
		if !ok {
			continue
		}
		all.Go(func() {
			release, err := p.Prepare(ctx)
			if err != nil {
				errs[i] = stepError(s, err)
			} else if release != nil {
				releases[i] = release
			}
		})
	}
	all.Wait()
	return releases, chaos.JoinErrors(errs...)
}

// stepError returns the error of a step with what the step does. For a unit that does not run, the error says it all.
func stepError(s chaos.Step, err error) error {
	if errors.As(err, new(chaos.NotRunningError)) {
		return err
	}
	return fmt.Errorf("%s: %w", s, err)
}

// drop removes an occurrence from the run after its injection failed.
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
		t.noteEnding(r)
		return
	}
	r.N, r.Injected = t.Inject(r.Fault, r.Name)
	t.noteEnding(r)
	if r.monitor != nil {
		r.Detect = r.monitor.Begin(r.Name, r.Injected)
	}
}

// extend adds an undo to the last journal entry of an injected fault.
func (t *Timeline) extend(r *injection, u chaos.Undo) error {
	if len(r.ids) == 0 {
		return nil
	}
	return t.Journal.Extend(r.ids[len(r.ids)-1], u)
}

// settle closes the journal entries of a reverted fault, or notes in them why the revert failed. The entries of a unit
// that brunt did not start, and that is down, stay open: nothing else tells its owner.
func (t *Timeline) settle(r *injection) {
	for _, id := range r.ids {
		switch {
		case r.RevertErr != nil:
			r.RevertErr = chaos.JoinErrors(r.RevertErr, t.Journal.Failed(id, r.RevertErr))
			return
		case r.Down != nil && t.Theirs:
			r.Left = append(r.Left, id)
			r.RevertErr = t.Journal.Off(id, r.Down)
			continue
		}
		r.RevertErr = t.Journal.Done(id, cmp.Or(r.Revert, chaos.Reverted))
	}
}

func describe(steps []chaos.Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, s.String())
	}
	return strings.Join(out, "; ")
}

// verify looks for the effect of an injected fault, which stays for the given time. That an effect is not found does
// not count if the fault has been injected again meanwhile: verifyAgain looks for it then.
func (t *Timeline) verify(ctx context.Context, r *injection, stays time.Duration) {
	defer close(r.proved)
	most := r.slowest(verifyFor)
	if !r.OneShot {
		most = min(most, max(stays, leastSearch))
	}
	var found []string
	for _, e := range effectsOf(ctx, r.Held, most) {
		if err := r.shown(e.held, e.err); err != nil && r.again.count(e.held) == 0 {
			r.VerifyErr = chaos.JoinErrors(r.VerifyErr, err)
		} else if e.text != "" {
			found = append(found, e.text)
		}
	}
	t.verified(r, found)
}

// seenEffect is the answer of a held fault to the question for its effect.
type seenEffect struct {
	held chaos.Held
	text string
	err  error
}

// effectsOf looks for the effects of held faults at the same time, for at most so long, also if ctx is cancelled.
func effectsOf(ctx context.Context, held []chaos.Held, most time.Duration) []seenEffect {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	defer cancel()
	out := make([]seenEffect, len(held))
	var all sync.WaitGroup
	for i, h := range held {
		all.Go(func() {
			text, err := h.Verify(ctx)
			out[i] = seenEffect{h, text, err}
		})
	}
	all.Wait()
	return out
}

// Prove proves once more the effect of the faults that are injected. It returns the evidence by the name of the fault,
// and an error if the effect of one is not shown, or if none is injected.
func (t *Timeline) Prove(ctx context.Context) (map[string]string, error) {
	t.mu.Lock()
	in := slices.Clone(t.in)
	t.mu.Unlock()
	if len(in) == 0 {
		return nil, errors.New("no fault is in")
	}
	found := map[string]string{}
	for _, r := range in {
		if r.isVoid() {
			return nil, fmt.Errorf("%s was over before", r.Name)
		}
		t.injected.mu.Lock()
		held, most := slices.Clone(r.Held), r.slowest(verifyFor)
		t.injected.mu.Unlock()
		var texts []string
		for _, e := range effectsOf(ctx, held, most) {
			if e.err != nil && !errors.As(e.err, new(chaos.NotShownError)) {
				return nil, fmt.Errorf("%s: %w", r.Name, e.err)
			}
			texts = append(texts, e.text)
		}
		found[r.Fault] = strings.Join(texts, "; ")
	}
	return found, nil
}

// shown notes what the proof of a held fault has not shown. It returns any other error.
func (r *injection) shown(h chaos.Held, err error) error {
	part, ok := errors.AsType[chaos.NotShownError](err)
	if !ok {
		return err
	}
	r.partly = append(r.partly, partial{h, part.What})
	r.tellPartly()
	return nil
}

// tellPartly brings the record up to date on what was not shown.
func (r *injection) tellPartly() {
	var all []string
	for _, p := range r.partly {
		all = append(all, p.what)
	}
	r.NotShown = strings.Join(all, "; ")
}

// showLater asks a held fault before its revert whether what its proof had not shown has shown since, and what is not
// there by now.
func (r *injection) showLater(ctx context.Context, h chaos.Held) {
	i := slices.IndexFunc(r.partly, func(p partial) bool { return p.held == h })
	later, lacks := h.Traits().Later, h.Traits().Lacks
	if lacks != nil {
		ask, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		if what := lacks(ask); what != "" {
			r.partly = slices.DeleteFunc(r.partly, func(p partial) bool { return p.held == h })
			_ = r.shown(h, chaos.NotShownError{What: what})
			return
		}
	}
	if i < 0 || later == nil {
		return
	}
	if seen := later(ctx); seen != "" {
		r.partly = slices.Delete(r.partly, i, i+1)
		r.Evidence = strings.TrimPrefix(r.Evidence+"; "+seen, "; ")
		r.tellPartly()
	}
}

// verified records the effect that was found of a fault.
func (t *Timeline) verified(r *injection, found []string) {
	r.Evidence = strings.Join(found, "; ")
	if r.VerifyErr != nil {
		t.event("fault.unverified", r.Name, r.VerifyErr.Error())
		return
	}
	r.Verified = t.Env.Now()
	if text := r.Evidence; r.NotShown == "" {
		t.event("fault.verified", r.Name, text)
	} else {
		t.event("fault.verified", r.Name, text+"; not shown: "+r.NotShown)
	}
}

// count adds the traffic that a held fault affected. The traffic is unknown if nothing was counted, and a part could
// not be counted.
func (t *Timeline) count(r *injection, affected func() chaos.Traffic) {
	if affected == nil {
		return
	}
	answer := make(chan chaos.Traffic, 1)
	t.injected.calls.Go(func() { answer <- affected() })
	hit := chaos.Traffic{Unknown: true}
	select {
	case hit = <-answer:
	case <-time.After(answerWithin): // the revert does not wait for it
	}
	if r.Traffic == nil {
		r.Traffic = &chaos.Traffic{}
	}
	switch sum := r.Traffic; {
	case sum.N == 0: // steps may count in different units: the first that counted anything sets the unit
		sum.N, sum.Unit = hit.N, hit.Unit
	case sum.Unit == hit.Unit:
		sum.N += hit.N
	}
	r.Traffic.Unknown = r.Traffic.N == 0 && (r.Traffic.Unknown || hit.Unknown)
}

// undoing returns a context for the time after a fault: for its revert, or, for a one-shot, until `within` has passed.
func (t *Timeline) undoing(ctx context.Context, r *injection) (context.Context, context.CancelFunc) {
	most := r.slowest(revertFor)
	if r.OneShot {
		most = max(time.Second, r.Injected+r.Within-t.Env.Now())
	}
	return context.WithTimeout(context.WithoutCancel(ctx), most)
}

// lift reverts the held faults, the last first, each within a time of its own. This ends the phase.
func (t *Timeline) lift(ctx context.Context, r *injection) {
	r.Gone, r.Revert = true, chaos.None
	for i := len(r.Held) - 1; i >= 0; i-- {
		h := r.Held[i]
		t.count(r, h.Traits().Affected)
		undo, cancel := t.undoing(ctx, r)
		r.showLater(undo, h)
		t.Journal.Point("before revert")
		tries := 0
		out, err := chaos.TryAgain(undo, inTurn, 0, func() (chaos.Outcome, error) { tries++; return h.Revert(undo) })
		cancel()
		if tries > 1 {
			t.awake() // a watchdog may have reverted it meanwhile
		}
		t.Journal.Point("after revert")
		r.LeftDown = r.LeftDown || h.Traits().StaysDown
		if err != nil {
			r.RevertErr = chaos.JoinErrors(r.RevertErr, err)
			r.Revert, r.Gone = chaos.Failed, false
			continue
		}
		if out != chaos.None && r.Revert != chaos.Failed && (!slices.Contains(r.left, h) || r.Revert == chaos.None) {
			r.Revert = out
		}
	}
	if r.Traffic != nil && r.Traffic.Unknown {
		r.Traffic = nil
	}
	t.pop(r)
}

// prove proves that the effect of all lifted faults is over, concurrently. For a one-shot it waits until the unit is
// healthy again.
//
// subtle: the search has a time limit of its own. A revert that is retried may use up most of its time
// and still succeed.
func (t *Timeline) prove(ctx context.Context, r *injection) {
	search, cancel := t.undoing(ctx, r)
	defer cancel()
	texts, errs := make([]string, len(r.Held)), make([]error, len(r.Held))
	var all sync.WaitGroup
	for i, h := range r.Held {
		all.Go(func() {
			texts[i], errs[i] = h.Gone(search)
			if errors.Is(errs[i], chaos.ErrNoAnswer) && !r.OneShot && r.Revert != chaos.Failed {
				texts[i], errs[i] = t.askAgain(ctx, r, h)
			}
		})
	}
	all.Wait()
	var found []string
	for i, err := range errs {
		switch {
		case errors.Is(err, chaos.ErrNoAnswer) && !r.OneShot && r.Revert != chaos.Failed:
			r.GoneErr, r.Gone = chaos.JoinErrors(r.GoneErr, err), false
		case err != nil && r.OneShot:
			r.Gone = false
			r.GoneText = err.Error()
		case r.Revert != chaos.Failed && errors.As(err, new(chaos.NotReadyError)):
			r.Down = chaos.JoinErrors(r.Down, err)
			found = append(found, err.Error())
		case err != nil:
			r.RevertErr, r.Gone = chaos.JoinErrors(r.RevertErr, err), false
		case texts[i] != "":
			found = append(found, texts[i])
		}
	}
	t.settle(r)
	switch {
	case r.Gone:
		r.GoneText = strings.Join(found, "; ")
	case r.GoneErr != nil && r.RevertErr == nil:
		r.Revert = chaos.Unverified
	}
	if r.Gone && !r.OneShot && r.Down == nil && r.GoneText != "" {
		t.event("fault.gone", r.Name, r.GoneText)
	}
	t.reverted(r)
}

// askAgain looks longer for the proof that a reverted fault is over, because the machine was too busy to answer a
// probe.
func (t *Timeline) askAgain(ctx context.Context, r *injection, h chaos.Held) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.slowest(askFor))
	defer cancel()
	return h.Gone(ctx)
}
