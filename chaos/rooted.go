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
	t.rooted.mu.Lock()
	defer t.rooted.mu.Unlock()
	for _, rec := range t.rooted.in {
		for _, h := range rec.held {
			own, ok := h.(Rooted)
			if !ok {
				continue
			}
			t.rooted.calls.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), verifyFor)
				defer cancel()
				said, err := own.Uprooted(ctx, container)
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
