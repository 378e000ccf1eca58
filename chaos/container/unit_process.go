package container

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/scenarios/quantity"
)

// RunningProcess returns the identity of a unit's present process.
func RunningProcess(u chaos.Unit) (proc.Identity, error) {
	pid := u.PID()
	if c, ok := Of(u); ok && !c.Engine.Address().Local() {
		return proc.Identity{}, fmt.Errorf("%s runs on another machine, %s, where its process can't be signalled from here; container.kill and container.pause go through the engine", u.Name(), c.Engine.Address().Host)
	}
	if pid == 0 {
		return proc.Identity{}, fmt.Errorf("%s does not run", u.Name())
	}
	if err := proc.Protect(pid); err != nil {
		return proc.Identity{}, err
	}
	return proc.Identify(pid)
}

func SignalUnit(u chaos.Unit, id proc.Identity, name string) error {
	if err := proc.Signal(id, name); err != nil {
		return fmt.Errorf("SIG%s to %s (pid %d): %w", name, u.Name(), id.PID, err)
	}
	return nil
}

// BackAgain waits until a unit runs as another process than was, and is ready.
func BackAgain(ctx context.Context, u chaos.Unit, was proc.Identity, since time.Time) (string, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	last := fmt.Errorf("it does not run")
	for {
		if pid := u.PID(); pid != 0 {
			id, err := proc.Identify(pid)
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
