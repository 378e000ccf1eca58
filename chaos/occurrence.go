package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"brunt/targets/platform/docker"
)

// revertFor bounds taking a fault back, which goes on when the run was cancelled.
const revertFor = 30 * time.Second

// occurrence plays one occurrence from its plan to its end. The next of its entry is
// due at next.
func (t *Timeline) occurrence(ctx context.Context, e *Entry, p Planned, r *Record, rnd *rand.Rand, next time.Duration) {
	env := t.Env
	env.Rand, env.Block = rnd, e.Block
	env.At = t.Journal.Point
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

// verifyFor bounds the search for a fault's effect. No fault stays in for longer than
// it should as it is searched for, but for one that stays less than leastSearch.
const (
	verifyFor   = 10 * time.Second
	leastSearch = time.Second
)

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
			r.Detect = r.watch.Begin(r.Name, r.Injected)
		}
		for _, s := range steps {
			t.Journal.Point("before inject")
			h, err := s.Inject(ctx)
			if h != nil {
				r.held = append(r.held, h)
			}
			if err != nil {
				r.InjectErr = fmt.Errorf("%s: %w", s, err)
				break
			}
			t.Journal.Point("after inject")
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
			r.RevertErr = JoinErrors(r.RevertErr, err)
		}
	}
	t.settle(r)
	if r.N >= 0 {
		t.Void(r.N)
		r.N = -1
		if r.watch != nil {
			r.Detect = nil
			r.watch.Drop()
		}
	}
	t.event("fault.failed", r.Name, r.InjectErr.Error())
	return false
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
			r.VerifyErr = JoinErrors(r.VerifyErr, err)
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
			met := m.Affected()
			if r.Traffic == nil {
				r.Traffic = &Traffic{Unit: met.Unit}
			}
			r.Traffic.N += met.N
		}
		t.Journal.Point("before revert")
		out, err := h.Revert(undo)
		for err != nil && docker.Away(err) && t.sleep(undo, t.Env.Now()+RetryEvery) { // its engine is started again
			out, err = h.Revert(undo)
		}
		t.Journal.Point("after revert")
		if err != nil {
			r.RevertErr = JoinErrors(r.RevertErr, err)
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
			r.RevertErr, r.Gone = JoinErrors(r.RevertErr, err), false
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
