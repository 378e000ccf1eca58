package chaos

import (
	"context"
	"slices"
	"sync"
)

// Restartable is a Held in the namespaces of a container. A restart removes the namespaces and what is
// in them.
type Restartable interface {
	// OnRestart is called when the container with an id was restarted while the fault is injected. It
	// injects the fault into the new namespaces and says so; an error voids the fault. For another
	// container it does nothing and returns "".
	//
	// subtle: it may be called during the revert and after it. It must do nothing then, and nothing
	// that it began may outlast the revert.
	OnRestart(ctx context.Context, container string) (said string, err error)
}

// NetworkAware is a Held that is aimed at the addresses of containers, or is on the links of one.
type NetworkAware interface {
	// OnNetworkChange is called when the running container with an id joined or left a network while
	// the fault is injected. It aims the fault at the new addresses if needed and says so; an error
	// voids the fault. It may be called at the same times as [Restartable].OnRestart.
	OnNetworkChange(ctx context.Context, container string) (said string, err error)
}

// injectedFaults are the injected faults, which are told of restarts and network changes.
type injectedFaults struct {
	mu    sync.Mutex
	in    []*occurrence
	calls sync.WaitGroup
}

func (r *injectedFaults) add(rec *occurrence) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in = append(r.in, rec)
}

func (r *injectedFaults) drop(rec *occurrence) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in = slices.DeleteFunc(r.in, func(other *occurrence) bool { return other == rec })
}

// Restarted tells the timeline that a container was restarted: faults in its namespaces are injected
// again, or are void. It returns at once; [Timeline.Play] waits for the work that it starts.
func (t *Timeline) Restarted(container string) {
	t.tellHeld(func(ctx context.Context, h Held) (string, error) {
		if own, ok := h.(Restartable); ok {
			return own.OnRestart(ctx, container)
		}
		return "", nil
	})
}

// OnNetworkChange tells the timeline that the networks of a container changed: faults on its addresses
// or links are aimed again, or are void. It returns at once, like Restarted.
func (t *Timeline) OnNetworkChange(container string) {
	t.tellHeld(func(ctx context.Context, h Held) (string, error) {
		if own, ok := h.(NetworkAware); ok {
			return own.OnNetworkChange(ctx, container)
		}
		return "", nil
	})
}

// tellHeld calls tell for each injected fault and reports the result as an event.
func (t *Timeline) tellHeld(tell func(ctx context.Context, h Held) (said string, err error)) {
	t.injected.mu.Lock()
	defer t.injected.mu.Unlock()
	for _, rec := range t.injected.in {
		for _, h := range rec.Held {
			t.injected.calls.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), verifyFor)
				defer cancel()
				said, err := tell(ctx, h)
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
