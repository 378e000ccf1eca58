package selector

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/targets/platform/containers"
)

// findContainers returns the containers that a query selects as units. A container that is a unit of the scenario is
// returned as that unit. A protected container is an error: a selector that is too wide must not silently hit others
// instead.
func findContainers(ctx context.Context, among chaos.Targets, q containers.Query) ([]chaos.Unit, error) {
	if among.Find == nil {
		return nil, fmt.Errorf("%w %s: no Docker engine is known", chaos.ErrNoUnit, q)
	}
	found, err := among.Find(ctx, q)
	if err != nil {
		return nil, err
	}
	var out []chaos.Unit
	var errs []error
	for i := range found {
		c := &found[i]
		if err := c.Protected(); err != nil {
			errs = append(errs, err)
			continue
		}
		if u := known(ctx, among.Units, c.ID); u != nil {
			out = append(out, u)
			continue
		}
		out = append(out, c.Unit)
	}
	return out, errors.Join(errs...)
}

// known returns the unit of the scenario whose container has an id, or nil.
func known(ctx context.Context, units []chaos.Unit, id string) chaos.Unit {
	for _, u := range units {
		if c, ok := container.Of(u); ok {
			if is, err := c.Engine.Inspect(ctx, c.Ref); err == nil && is.ID == id {
				return u
			}
		}
	}
	return nil
}

// unitsNamed returns the units of an end of an edge: all units of a service, one unit such as posts[0], all units of a
// zone such as zone/a, or a container such as container/web.
func unitsNamed(ctx context.Context, among chaos.Targets, end string) ([]chaos.Unit, error) {
	if name, ok := strings.CutPrefix(end, chaos.ContainerPrefix); ok {
		out, err := findContainers(ctx, among, containers.Query{Container: name})
		if err == nil && len(out) == 0 {
			err = fmt.Errorf("%w %s", chaos.ErrNoUnit, end)
		}
		return out, err
	}
	var out []chaos.Unit
	for _, u := range among.Units {
		if among.Zones.At(end, u.Name()) {
			out = append(out, u)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w %s", chaos.ErrNoUnit, end)
	}
	return out, nil
}
