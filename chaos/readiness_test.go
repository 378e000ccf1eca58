package chaos_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
)

// hanging is a unit whose first readiness check hangs, like a connection that found the queue full.
// The others succeed after some time, or fail at once.
type hanging struct {
	chaos.Unit
	first atomic.Bool
	fails error
}

func (*hanging) Name() string { return "web[0]" }

func (h *hanging) Ready(ctx context.Context) error {
	if h.first.CompareAndSwap(false, true) && h.fails == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	time.Sleep(50 * time.Millisecond) // fake clock: how long the check takes
	return h.fails
}

func TestReadySoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		long, end := context.WithTimeout(t.Context(), time.Minute)
		defer end()
		if err := chaos.ReadySoon(long, new(hanging)); err != nil || time.Since(began) != 150*time.Millisecond {
			t.Errorf("%v after %s, want it found by the second check", err, time.Since(began))
		}
		if err := chaos.ReadySoon(t.Context(), &hanging{fails: chaos.ErrNoUnit}); !errors.Is(err, chaos.ErrNoUnit) {
			t.Errorf("%v, want what the check says", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := chaos.ReadySoon(ctx, new(hanging)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the end of the time", err)
		} else if down, ok := errors.AsType[chaos.NotReadyError](err); !ok ||
			down.Waited(30*time.Second).Error() != "web[0] did not become ready in 30s: its readiness check has no answer" {
			t.Errorf("%v, want what the target did, and no word of the program", down.Waited(30*time.Second))
		}
	})
}
