package chaos

import (
	"context"
	"errors"
	"slices"
	"sync"
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
		if ended == nil {
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
