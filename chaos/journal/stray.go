package journal

import (
	"context"
	"errors"
	"fmt"

	"brunt/chaos"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// A Stray is the container of a watchdog that was created and never started, because its brunt died in between. No
// journal records it, since it is there for the case that the journal is lost. It has nothing to revert.
type Stray struct {
	Run    string
	Engine containers.Address
	ID     string // of the container
}

func (s Stray) String() string {
	return fmt.Sprintf("the watchdog's container %.12s, which was made and never started", s.ID)
}

// Strays lists the strays in this machine's own engine. It omits those whose brunt may still live: if
// brunt died in a container that goes on, only a process inside that container can tell.
func Strays(ctx context.Context) ([]Stray, error) {
	e := localEngine()
	if e == nil {
		return nil, nil
	}
	defer e.Close()
	return straysIn(ctx, e)
}

func straysIn(ctx context.Context, e *docker.Engine) ([]Stray, error) {
	all, err := e.List(ctx, containers.Query{Labels: map[string]string{containers.BesideLabel: ""}})
	if err != nil {
		return nil, err
	}
	var out []Stray
	for _, c := range all {
		run, ok := c.WatchdogRun()
		if !ok || c.State != "created" {
			continue
		}
		dead, err := besideDead(ctx, e, &c, run)
		if err != nil {
			return out, err
		}
		if dead {
			out = append(out, Stray{Run: run, Engine: e.Address(), ID: c.ID})
		}
	}
	return out, nil
}

// besideDead reports whether the brunt that created a watchdog beside itself is dead.
func besideDead(ctx context.Context, e *docker.Engine, c *containers.Container, run string) (bool, error) {
	is, err := e.Inspect(ctx, c.Labels[containers.BesideLabel])
	switch {
	case errors.Is(err, docker.ErrGone):
		return true, nil
	case err != nil:
		return false, err
	case !is.Running || is.Started.After(c.Made): // both times are by the engine's clock
		return true, nil
	case is.ID != containers.Self():
		return false, nil
	}
	_, owners, err := markedProcesses()
	return err == nil && owners[run] == "", err
}

// Remove removes the container if it is still not started.
func (s Stray) Remove(ctx context.Context) error {
	e, err := docker.Open(s.Engine, docker.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	return e.RemoveUnstarted(ctx, s.ID)
}

// RemoveStrays removes all strays and returns the results.
func RemoveStrays(ctx context.Context) ([]Taken, error) {
	all, err := Strays(ctx)
	errs := []error{err}
	var taken []Taken
	for _, s := range all {
		t := Taken{Run: s.Run, Pending: Pending{What: s.String()}, Outcome: chaos.Reverted, Err: s.Remove(ctx)}
		if t.Err != nil {
			t.Outcome = chaos.Failed
			errs = append(errs, fmt.Errorf("%s: %w", s, t.Err))
		}
		taken = append(taken, t)
	}
	return taken, errors.Join(errs...)
}
