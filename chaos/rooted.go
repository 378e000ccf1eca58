package chaos

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Rooted is a Held that lives in the namespaces of a container, which a restart takes
// away with all that was in them.
type Rooted interface {
	// Uprooted is told that the container with an id was started again while the fault is
	// in. It puts the fault into the new namespaces and says what it did; an error is why
	// the fault is void from here on. Of a container that is not its own it says nothing.
	//
	// subtle: it may be called while the fault is taken back, and after: then it must do
	// nothing, and what it has begun must not outlast the revert.
	Uprooted(ctx context.Context, container string) (said string, err error)
}

// Aimed is a Held that is aimed at the addresses of containers, or lives in the links that one has.
type Aimed interface {
	// Moved is told that the container with an id was taken into a network, or out of one, while it
	// runs and the fault is in. It aims the fault anew where that takes it, and says so; an
	// error is why the fault is void from here on. It may be called when [Rooted] may.
	Moved(ctx context.Context, container string) (said string, err error)
}

// rooted are the faults that are in, for containers that are started again.
type rooted struct {
	mu    sync.Mutex
	in    []*Record
	calls sync.WaitGroup
}

func (r *rooted) add(rec *Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in = append(r.in, rec)
}

func (r *rooted) drop(rec *Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in = slices.DeleteFunc(r.in, func(other *Record) bool { return other == rec })
}

// Restarted tells the timeline that a container was started again: faults in its
// namespaces are injected anew, or are void. It returns at once; [Timeline.Play] waits for
// what it has begun.
func (t *Timeline) Restarted(container string) {
	t.tellHeld(func(ctx context.Context, h Held) (string, error) {
		if own, ok := h.(Rooted); ok {
			return own.Uprooted(ctx, container)
		}
		return "", nil
	})
}

// Moved tells the timeline that a container is in other networks than before: faults that are aimed at
// its addresses, or at what passes its links, are aimed anew, or are void. It returns as
// Restarted does.
func (t *Timeline) Moved(container string) {
	t.tellHeld(func(ctx context.Context, h Held) (string, error) {
		if own, ok := h.(Aimed); ok {
			return own.Moved(ctx, container)
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

// void ends an occurrence before its time: what it did is gone, and nothing can be judged
// by what followed.
func (r *Record) void(why error) {
	r.voided.Do(func() {
		r.voidWhy = fmt.Errorf("void: %w", why)
		close(r.voids)
	})
}
