package timeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/scenarios/result"
)

// injectedFaults are the injected faults, which are notified of restarts and network changes.
type injectedFaults struct {
	mu    sync.Mutex
	in    []*injection
	calls sync.WaitGroup
}

func (r *injectedFaults) add(rec *injection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in = append(r.in, rec)
}

func (r *injectedFaults) drop(rec *injection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in = slices.DeleteFunc(r.in, func(other *injection) bool { return other == rec })
}

// OnRestart tells the timeline that a container, given by its id, or a process that brunt supervises, given by the name
// of its unit, was started again: faults on it are injected again, or become void. It returns at once; [Timeline.Play]
// waits for the work that it starts.
func (t *Timeline) OnRestart(of string) {
	t.notify(of, func(h chaos.HeldTraits) containerHook { return h.OnRestart })
}

// OnNetworkChange tells the timeline that the networks of a container changed: faults on its addresses or links are
// aimed again, or become void. It returns at once, like OnRestart.
func (t *Timeline) OnNetworkChange(container string) {
	t.notify(container, func(h chaos.HeldTraits) containerHook { return h.OnNetworkChange })
}

// endedBefore calls early for each held fault that has ended before its revert, such as when its process was killed.
// A fault on a unit that another fault of the run ended has not ended early. last says that the revert comes next: it
// does not wait for a process that is silent, as the revert asks it again.
func (t *Timeline) endedBefore(
	ctx context.Context, r *injection, last bool, early func(h chaos.Held, why error),
) {
	if r.OneShot || r.isVoid() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, verifyFor)
	defer cancel()
	soon := ctx
	if last {
		var enough context.CancelFunc
		soon, enough = context.WithCancel(ctx)
		defer time.AfterFunc(answerWithin, enough).Stop()
		defer enough()
	}
	errs := make([]error, len(r.Held))
	var all sync.WaitGroup
	for i, h := range r.Held {
		of := h.Traits()
		switch {
		case of.Ended == nil || slices.Contains(r.left, h):
		case !of.AskedLast:
			all.Go(func() { errs[i] = of.Ended(soon) })
		case last:
			all.Go(func() { errs[i] = of.Ended(ctx) })
		}
	}
	all.Wait()
	for i, err := range errs {
		t.tellStarved(r, r.Held[i], err)
		if err != nil && !t.endedByOwn(r, r.Held[i], err) {
			early(r.Held[i], err)
		}
	}
}

// tellStarved reports once that the kernel killed the own process of a held fault because memory ran out, by the error
// of its early end: the unit did not lose a process of its own then.
func (t *Timeline) tellStarved(r *injection, h chaos.Held, why error) {
	early, ok := errors.AsType[chaos.EndedEarlyError](why)
	if !ok || early.By != chaos.OutOfMemory || slices.Contains(r.starved, h) {
		return
	}
	r.starved = append(r.starved, h)
	at := t.lastIn(t.Env.Now(), why)
	t.tell(result.Event{
		Event: "fault.oom", Fault: r.Name, Unit: early.Unit, Data: map[string]any{result.KilledData: at.Seconds()},
	})
}

// answerWithin bounds the last question before a revert to the process that holds a fault.
const answerWithin = 2 * time.Second

// lostBefore voids an occurrence, after its revert, if a process that held it had ended before. The revert is the last
// question to the process: one that answered it held the fault until then.
func (t *Timeline) lostBefore(r *injection) {
	for _, h := range r.Held {
		if lost := h.Traits().Lost; lost != nil && !r.OneShot && !slices.Contains(r.left, h) {
			if why := lost(); why != nil {
				t.void(r, t.Env.Now(), why)
			}
		}
	}
}

// A containerHook is a function of an injected fault that is called after a change of a container.
type containerHook = func(ctx context.Context, container string) (said string, err error)

// notify calls the hook of each injected fault that has one, and reports the results as events. What was injected again
// has to be proved again.
func (t *Timeline) notify(container string, of func(chaos.HeldTraits) containerHook) {
	t.injected.mu.Lock()
	defer t.injected.mu.Unlock()
	for _, rec := range t.injected.in {
		for _, h := range rec.Held {
			hook := of(h.Traits())
			if hook == nil {
				continue
			}
			off := t.Env.Now()
			rec.again.hooks.Add(1)
			t.injected.calls.Go(func() {
				defer rec.again.hooks.Done()
				ctx, cancel := context.WithTimeout(context.Background(), verifyFor)
				defer cancel()
				said, err := hook(ctx, container)
				switch {
				case err != nil:
					t.void(rec, off, err)
				case said != "":
					t.event("fault.again", rec.Name, said)
					t.injectedAgain(rec, h, off)
				}
			})
		}
	}
}

// reinjections tell which held faults of an occurrence were injected again after a change of a container.
type reinjections struct {
	mu     sync.Mutex
	units  map[chaos.Held]string // the unit of each
	times  map[chaos.Held]int    // how often each was injected again
	absent []chaos.Absence

	// Nothing is added to these once the occurrence is no longer one of the injectedFaults.
	hooks  sync.WaitGroup // calls after a change
	proofs sync.WaitGroup // searches for the effect of what was injected again
}

// name notes the unit of a held fault.
func (a *reinjections) name(h chaos.Held, unit string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.units == nil {
		a.units, a.times = map[chaos.Held]string{}, map[chaos.Held]int{}
	}
	a.units[h] = unit
}

// count returns how often a held fault was injected again.
func (a *reinjections) count(h chaos.Held) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.times[h]
}

// note notes that a held fault was injected again, and reports whether it was missing before. A zero to says that this
// came only with the end of its occurrence.
func (a *reinjections) note(h chaos.Held, gap, from, to time.Duration) (missing bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times[h]++
	if missing = gap > mostLate; missing {
		a.absent = append(a.absent, chaos.Absence{Unit: a.units[h], From: from, To: to})
	}
	return missing
}

// missing returns the times in which the faults were off because of a change, once all calls after changes are over.
func (a *reinjections) missing() []chaos.Absence {
	a.hooks.Wait()
	return a.absent
}

// injectedAgain records that a held fault is injected again, which was off since a time, and looks for its effect. If
// brunt was later with that than it may be with an injection, the fault was missing meanwhile.
func (t *Timeline) injectedAgain(r *injection, h chaos.Held, off time.Duration) {
	now := t.Env.Now()
	t.injected.mu.Lock()
	in := slices.Contains(t.injected.in, r)
	if in {
		r.again.proofs.Add(1)
	}
	t.injected.mu.Unlock()
	if !in { // its revert has waited for this
		r.again.note(h, now-off, off, 0)
		return
	}
	defer r.again.proofs.Done()
	if r.again.note(h, now-off, off, now) && t.Whole {
		t.void(r, off, errAway)
		return
	}
	t.verifyAgain(r, h)
}

// errAway is why an occurrence that has to be in for all of its time ended.
var errAway = errors.New("its unit was started again or got other networks, and brunt was late to inject it again")

// verifyAgain looks for the effect of a held fault that was injected again. Only the last injection counts: a proof of
// an earlier one does not stand for it.
func (t *Timeline) verifyAgain(r *injection, h chaos.Held) {
	<-r.proved
	n, most := r.again.count(h), verifyFor+h.Traits().Takes
	if !r.OneShot {
		most = min(most, max(r.until-t.Env.Now(), leastSearch))
	}
	e := effectsOf(context.Background(), []chaos.Held{h}, most)[0]
	r.proving.Lock()
	defer r.proving.Unlock()
	if e.err != nil && r.again.count(h) > n { // once more, and so is the search
		return
	}
	r.partly = slices.DeleteFunc(r.partly, func(p partial) bool { return p.held == h })
	err := r.shown(h, e.err)
	r.tellPartly()
	switch {
	case err != nil:
		err = fmt.Errorf("after it was injected again: %w", err)
		r.VerifyErr, r.Verified = chaos.JoinErrors(r.VerifyErr, err), 0
		t.event("fault.unverified", r.Name, err.Error())
	case e.text != "":
		r.Evidence = strings.TrimPrefix(r.Evidence+"; injected again: "+e.text, "; ")
	}
}

// followEach is the time between two questions for the present units.
const followEach = time.Second

// stay waits until at, or until over is closed, and meanwhile keeps the fault on its units. It returns false if ctx
// ended first.
//
// subtle: the time is up by a cancellation, since a question with a deadline waits some seconds more for its answer.
func (t *Timeline) stay(ctx context.Context, of staying, r *injection, over <-chan struct{}) bool {
	within, end := context.WithCancel(ctx)
	defer end()
	up := time.AfterFunc(max(0, of.until-t.Env.Now()), end)
	defer up.Stop()
	go func() {
		select {
		case <-over:
		case <-r.voids:
		case <-within.Done():
		}
		end()
	}()
	var f *follower // nil: the target does not change by itself
	if of.at.IDs != nil {
		f = newFollower(t, r, of)
	}
	ended := t.watchesEnd(r, f != nil)
	for t.sleep(within, t.Env.Now()+followEach) {
		if f != nil {
			f.ask(within)
		}
		ended(within)
	}
	if f != nil {
		f.over()
	}
	return ctx.Err() == nil
}

// watchesEnd returns a function that checks whether a fault is still injected. It voids the fault if two checks in a
// row find that the same held fault has ended: after one, the follower may be injecting it again, or may not know yet
// that its unit is gone. With a follower, a holder that has ended does not void it: the follower starts another one,
// which waits for the cluster if that is away.
func (t *Timeline) watchesEnd(r *injection, followed bool) (look func(context.Context)) {
	var out map[chaos.Held]time.Duration // since when a held fault has ended, as of the last check
	return func(ctx context.Context) {
		began, before, found := t.Env.Now(), out, false
		out = nil
		t.endedBefore(ctx, r, false, func(h chaos.Held, why error) {
			since, again := before[h]
			if again && !(followed && errors.Is(why, chaos.ErrHolderEnded)) {
				t.void(r, since, why)
				return
			}
			if out == nil {
				out = map[chaos.Held]time.Duration{}
			}
			out[h], found = began, found || !again
		})
		if found {
			t.awake() // a watchdog that took the fault back has also ended its holder
		}
	}
}
