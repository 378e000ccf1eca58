package chaos

import (
	"context"
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

// endedBefore calls early if a fault has ended before its revert, such as one whose process was killed. Last says that
// it is asked just before the revert.
func (t *Timeline) endedBefore(ctx context.Context, r *injection, last bool, early func(why error)) {
	if r.OneShot || r.isVoid() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, verifyFor)
	defer cancel()
	for _, h := range r.Held {
		of := h.Traits()
		if of.Ended == nil || slices.Contains(r.left, h) || of.AskedLast && !last {
			continue
		}
		if err := of.Ended(ctx); err != nil {
			early(err)
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
					t.void(rec, t.Env.Now(), err)
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

// stay waits until at, or until over is closed, and keeps the fault on its units meanwhile. It is false when ctx ended
// first.
func (t *Timeline) stay(ctx context.Context, f Followed, r *injection, over <-chan struct{}) bool {
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
	adapt := t.follows(f, r)
	ended := t.watchesEnd(r)
	for t.sleep(within, t.Env.Now()+followEach) {
		adapt(within)
		ended(within)
	}
	return ctx.Err() == nil
}

// follows returns what adapts a fault to the units of now.
func (t *Timeline) follows(f Followed, r *injection) (adapt func(context.Context)) {
	if f.At.IDs == nil || f.Env.Follow == nil {
		return func(context.Context) {}
	}
	f.Record, f.Seed, f.Journal, f.Deadline = r.Record, t.Seed, t.Journal, r.deadline
	f.Event = func(kind, text string) { t.event(kind, r.Name, text) }
	f.Void = func(why error) { t.void(r, t.Env.Now(), why) }
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
	return f.Env.Follow(f)
}

// watchesEnd returns what looks whether a fault is still in, and voids it when it is not at two looks: what follows a
// change may be at it.
func (t *Timeline) watchesEnd(r *injection) (look func(context.Context)) {
	var since time.Duration
	return func(ctx context.Context) {
		began, out := t.Env.Now(), false
		t.endedBefore(ctx, r, false, func(why error) {
			if out = true; since > 0 {
				t.void(r, since, why)
			}
		})
		switch {
		case !out:
			since = 0
		case since == 0:
			since = began
			t.awake() // a watchdog that took the fault back ended what held it
		}
	}
}
