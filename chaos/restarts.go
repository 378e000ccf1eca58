package chaos

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
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

// OnRestart tells the timeline that a container was restarted: faults in its namespaces are injected
// again, or are void. It returns at once; [Timeline.Play] waits for the work that it starts.
func (t *Timeline) OnRestart(container string) {
	t.notify(container, func(h HeldTraits) containerHook { return h.OnRestart })
}

// OnNetworkChange tells the timeline that the networks of a container changed: faults on its addresses
// or links are aimed again, or are void. It returns at once, like OnRestart.
func (t *Timeline) OnNetworkChange(container string) {
	t.notify(container, func(h HeldTraits) containerHook { return h.OnNetworkChange })
}

// endedBefore voids a fault that has ended before its revert, such as one whose process was killed: it was not in for
// the time that it would be judged by.
func (t *Timeline) endedBefore(ctx context.Context, r *injection) {
	if r.OneShot || r.isVoid() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), verifyFor)
	defer cancel()
	for _, h := range r.Held {
		ended := h.Traits().Ended
		if ended == nil || slices.Contains(r.left, h) {
			continue
		}
		if err := ended(ctx); err != nil {
			t.event("fault.void", r.Name, err.Error())
			if taken, ok := errors.AsType[TakenBackError](err); ok {
				r.took.CompareAndSwap(nil, &taken)
			}
			r.void(err)
			return
		}
	}
}

// A containerHook is what an injected fault does when something happened to a container.
type containerHook = func(ctx context.Context, container string) (said string, err error)

// notify calls the hook of each injected fault that has one, and reports the results as events.
func (t *Timeline) notify(container string, of func(HeldTraits) containerHook) {
	t.injected.mu.Lock()
	defer t.injected.mu.Unlock()
	for _, rec := range t.injected.in {
		for _, h := range rec.Held {
			hook := of(h.Traits())
			if hook == nil {
				continue
			}
			t.injected.calls.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), verifyFor)
				defer cancel()
				said, err := hook(ctx, container)
				switch {
				case err != nil:
					t.event("fault.void", rec.Name, err.Error())
					rec.void(err)
				case said != "":
					t.event("fault.again", rec.Name, said)
				}
			})
		}
	}
}

// A Followed is an occurrence that is in, for what keeps it on the units of a target that changes by itself.
type Followed struct {
	*Record
	Entry    *Entry
	Env      Env
	At       Present // when it was planned
	Planned  []Step
	Seed     uint64
	Journal  Recorder
	Until    time.Duration // when it is to be reverted
	Deadline time.Time     // of its journal entries

	Event   func(kind, text string)
	Void    func(why error)
	Hold    func(h Held, in bool)   // adds a fault to the occurrence, or removes it after it was reverted
	Entered func(id int, open bool) // adds an entry of the journal to the occurrence, or removes one that is closed
	Left    func(h Held)            // the unit of a fault is gone, which does not void the occurrence
}

// followEach is the time between two questions which units there are.
const followEach = time.Second

// stay waits until at, or until over is closed, and keeps the fault on its units meanwhile. It is false when ctx ended first.
func (t *Timeline) stay(ctx context.Context, f Followed, r *injection, over <-chan struct{}) bool {
	if f.At.IDs == nil || f.Env.Follow == nil {
		return t.sleepUnless(ctx, over, f.Until)
	}
	f.Record, f.Seed, f.Journal, f.Deadline = r.Record, t.Seed, t.Journal, r.deadline
	f.Event = func(kind, text string) { t.event(kind, r.Name, text) }
	f.Void = func(why error) { r.void(why) }
	f.Hold = func(h Held, in bool) {
		t.injected.mu.Lock()
		defer t.injected.mu.Unlock()
		if r.Held = slices.DeleteFunc(r.Held, func(other Held) bool { return other == h }); in {
			r.Held = append(r.Held, h)
		}
	}
	f.Entered = func(id int, open bool) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if r.ids = slices.DeleteFunc(r.ids, func(other int) bool { return other == id }); open {
			r.ids = append(r.ids, id)
		}
	}
	f.Left = func(h Held) { r.left = append(r.left, h) }
	within, end := context.WithTimeout(ctx, max(0, f.Until-t.Env.Now()))
	defer end()
	go func() {
		select {
		case <-over:
		case <-r.voids:
		case <-within.Done():
		}
		end()
	}()
	adapt := f.Env.Follow(f)
	for t.sleep(within, t.Env.Now()+followEach) {
		adapt(within)
	}
	return ctx.Err() == nil
}
