package chaos

import (
	"context"
	"fmt"
	"sync"
	"time"

	"brunt/scenarios/quantity"
)

// runningProcess gives the identity of the process that a unit runs as now.
func runningProcess(u Unit) (identity, error) {
	pid := u.PID()
	if c, ok := ContainerOf(u); ok && !c.Engine.Address().Local() {
		return identity{}, fmt.Errorf("%s runs on another machine, %s, where its process can't be signalled from here; container.kill and container.pause go through the engine", u.Name(), c.Engine.Address().Host)
	}
	if pid == 0 {
		return identity{}, fmt.Errorf("%s does not run", u.Name())
	}
	if err := protect(pid); err != nil {
		return identity{}, err
	}
	return identify(pid)
}

func signalUnit(u Unit, id identity, name string) error {
	if err := signal(id, name); err != nil {
		return fmt.Errorf("SIG%s to %s (pid %d): %w", name, u.Name(), id.PID, err)
	}
	return nil
}

// endsWithin is how long a signal may take to end a process.
const endsWithin = 5 * time.Second

// backAgain waits until a unit runs as another process than the one that was, and
// is ready.
func backAgain(ctx context.Context, u Unit, was identity, since time.Time) (string, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	last := fmt.Errorf("it does not run")
	for {
		if pid := u.PID(); pid != 0 {
			id, err := identify(pid)
			if err == nil && id != was {
				if last = u.Ready(ctx); last == nil {
					return fmt.Sprintf("ready again as pid %d after %s", pid, quantity.FormatSeconds(time.Since(since).Seconds())), nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%s has not come back: %w", u.Name(), last)
		case <-tick.C:
		}
	}
}

// readyEvery is how long a readiness check may take before another is made beside it.
const readyEvery = 100 * time.Millisecond

// readySoon finds that a unit is ready, without waiting for checks that hang.
//
// subtle: while a process is stopped its queue of connections fills up. One that finds
// it full is tried again by the kernel only a second later, when the process has long
// gone on.
func readySoon(ctx context.Context, u Unit) error {
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
