package timeline

import (
	"context"
	"slices"
	"sync"
	"time"

	"brunt/chaos"
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

// OnRestart tells the timeline that a container was restarted: faults in its namespaces are injected again, or become
// void. It returns at once; [Timeline.Play] waits for the work that it starts.
func (t *Timeline) OnRestart(container string) {
	t.notify(container, func(h chaos.HeldTraits) containerHook { return h.OnRestart })
}

// OnNetworkChange tells the timeline that the networks of a container changed: faults on its addresses or links are
// aimed again, or become void. It returns at once, like OnRestart.
func (t *Timeline) OnNetworkChange(container string) {
	t.notify(container, func(h chaos.HeldTraits) containerHook { return h.OnNetworkChange })
}

// endedBefore calls early if a fault has ended before its revert, such as when its process was killed. last says that
// the revert comes next.
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

// A containerHook is a function of an injected fault that is called after a change of a container.
type containerHook = func(ctx context.Context, container string) (said string, err error)

// notify calls the hook of each injected fault that has one, and reports the results as events.
func (t *Timeline) notify(container string, of func(chaos.HeldTraits) containerHook) {
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

// followEach is the time between two questions for the present units.
const followEach = time.Second

// stay waits until at, or until over is closed, and meanwhile keeps the fault on its units. It returns false if ctx
// ended first.
func (t *Timeline) stay(ctx context.Context, of staying, r *injection, over <-chan struct{}) bool {
	within, end := context.WithTimeout(ctx, max(0, of.until-t.Env.Now()))
	defer end()
	go func() {
		select {
		case <-over:
		case <-r.voids:
		case <-within.Done():
		}
		end()
	}()
	adapt := func(context.Context) {} // for a target that does not change by itself
	if of.at.IDs != nil {
		adapt = newFollower(t, r, of).ask
	}
	ended := t.watchesEnd(r)
	for t.sleep(within, t.Env.Now()+followEach) {
		adapt(within)
		ended(within)
	}
	return ctx.Err() == nil
}

// watchesEnd returns a function that checks whether a fault is still injected. It voids the fault if two checks in a
// row find that it has ended: after one, the follower may be injecting it again.
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
			t.awake() // a watchdog that took the fault back has also ended its holder
		}
	}
}
