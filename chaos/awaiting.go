package chaos

import (
	"context"
	"sync"
	"time"
)

// readyEvery is how long a readiness check may take before another is made beside it.
const readyEvery = 100 * time.Millisecond

// ReadySoon finds that a unit is ready, without waiting for checks that hang.
//
// subtle: while a process is stopped its queue of connections fills up. One that finds
// it full is tried again by the kernel only a second later, when the process has long
// Gone on.
func ReadySoon(ctx context.Context, u Unit) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	found := make(chan error)
	under := 0 // checks under way
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
			if under--; err == nil || under == 0 {
				return err
			}
		case <-tick.C:
			again = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
