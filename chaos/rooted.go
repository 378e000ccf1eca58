package chaos

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Restartable is a Held that lives in the namespaces of a container, which a restart takes
// away with all that was in them.
type Restartable interface {
	// OnRestart is told that the container with an id was started again while the fault is
	// in. It puts the fault into the new namespaces and says what it did; an error is why
	// the fault is void from here on. Of a container that is not its own it says nothing.
	//
	// subtle: it may be called while the fault is taken back, and after: then it must do
	// nothing, and what it has begun must not outlast the revert.
	OnRestart(ctx context.Context, container string) (said string, err error)
}

// NetworkAware is a Held that is aimed at the addresses of containers, or lives in the links that one has.
type NetworkAware interface {
	// OnNetworkChange is told that the container with an id was taken into a network, or out of one, while it
	// runs and the fault is in. It aims the fault anew where that takes it, and says so; an
	// error is why the fault is void from here on. It may be called when [Rooted] may.
	OnNetworkChange(ctx context.Context, container string) (said string, err error)
}

// injectedFaults are the faults that are in, for containers that are started again.
type injectedFaults struct {
	mu    sync.Mutex
	in    []*Record
	calls sync.WaitGroup
}

func (r *injectedFaults) add(rec *Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in = append(r.in, rec)
}

func (r *injectedFaults) drop(rec *Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in = slices.DeleteFunc(r.in, func(other *Record) bool { return other == rec })
}

// Restarted tells the timeline that a container was started again: faults in its
// namespaces are injected anew, or are void. It returns at once; [Timeline.Play] waits for
// What it has begun.
func (t *Timeline) Restarted(container string) {
	t.tellHeld(func(ctx context.Context, h Held) (string, error) {
		if own, ok := h.(Restartable); ok {
			return own.OnRestart(ctx, container)
		}
		return "", nil
	})
}

// OnNetworkChange tells the timeline that a container is in other networks than before: faults that are aimed at
// its addresses, or at what passes its links, are aimed anew, or are void. It returns as
// Restarted does.
func (t *Timeline) OnNetworkChange(container string) {
	t.tellHeld(func(ctx context.Context, h Held) (string, error) {
		if own, ok := h.(NetworkAware); ok {
			return own.OnNetworkChange(ctx, container)
		}
		return "", nil
	})
}

// tellHeld tells each fault that is in of something, and everybody what it says to that.
func (t *Timeline) tellHeld(tell func(ctx context.Context, h Held) (said string, err error)) {
	t.rooted.mu.Lock()
	defer t.rooted.mu.Unlock()
	for _, rec := range t.rooted.in {
		for _, h := range rec.held {
			t.rooted.calls.Go(func() {
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

// Void ends an occurrence before its time: what it did is gone, and nothing can be judged
// by what followed.
func (r *Record) void(why error) {
	r.voided.Do(func() {
		r.voidWhy = fmt.Errorf("void: %w", why)
		close(r.voids)
	})
}
