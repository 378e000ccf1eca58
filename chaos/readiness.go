package chaos

import (
	"context"
	"sync"
	"time"
)

// readyEvery is the time after which a second readiness check starts beside one that has not returned.
const readyEvery = 100 * time.Millisecond

// ReadySoon waits for a readiness check to succeed, without waiting for checks that hang. Its error is a
// [NotReadyError].
//
// subtle: while a process is stopped, its accept queue fills up. The kernel retries a connection that
// found the queue full only a second later, long after the process was resumed.
func ReadySoon(ctx context.Context, u Unit) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	found := make(chan error)
	under := 0 // checks in progress
	for again := true; ; {
		if again {
			under++
			wg.Go(func() {
				select {
				case found <- u.Ready(ctx):
				case <-ctx.Done():
				}
			})
		}
		again = false
		select {
		case err := <-found:
			if under--; err == nil {
				return nil
			}
			if under == 0 {
				return NotReadyError{Unit: u.Name(), Why: err}
			}
		case <-tick.C:
			again = true
		case <-ctx.Done():
			return NotReadyError{Unit: u.Name(), Why: ctx.Err()}
		}
	}
}
