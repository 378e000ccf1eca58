package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"brunt/targets/platform/docker"
)

// containerPrefix begins the name of a unit that is a container of the engine and belongs
// to no service of the scenario, such as container/web. An end of an edge may be one.
const containerPrefix = "container/"

// ContainerName is what the container with a name is called as a unit.
func ContainerName(name string) string { return containerPrefix + name }

// find gives the units that are the containers which a query selects. One that the
// scenario has a name for is that unit. What may not be touched is refused by its name: a
// selector that is too wide must not silently hit others instead.
func (e Env) find(ctx context.Context, q docker.Query) ([]Unit, error) {
	if e.Find == nil {
		return nil, fmt.Errorf("%w %s: no Docker engine is known", ErrNoUnit, q)
	}
	found, engine, err := e.Find(ctx, q)
	if err != nil {
		return nil, err
	}
	var out []Unit
	var errs []error
	for i := range found {
		c := &found[i]
		if err := c.Protected(); err != nil {
			errs = append(errs, err)
			continue
		}
		if u := e.known(ctx, c.ID); u != nil {
			out = append(out, u)
			continue
		}
		name := containerPrefix + c.Name
		out = append(out, &Container{Engine: engine, Ref: c.Name, Of: Named{Unit: name, Service: name}, Selected: q})
	}
	return out, errors.Join(errs...)
}

// known gives the unit of the scenario that is the container with an id, or nil.
func (e Env) known(ctx context.Context, id string) Unit {
	for _, u := range e.Units {
		if c, ok := ContainerOf(u); ok {
			if is, err := c.Engine.Inspect(ctx, c.Ref); err == nil && is.ID == id {
				return u
			}
		}
	}
	return nil
}

// Named gives the units that an end of an edge stands for: those of a service, one unit
// such as posts[0], those of a zone such as zone/a, or a container such as container/web.
func (e Env) Named(ctx context.Context, end string) ([]Unit, error) {
	if name, ok := strings.CutPrefix(end, containerPrefix); ok {
		out, err := e.find(ctx, docker.Query{Container: name})
		if err == nil && len(out) == 0 {
			err = fmt.Errorf("%w %s", ErrNoUnit, end)
		}
		return out, err
	}
	var out []Unit
	for _, u := range e.Units {
		if e.Zones.at(end, u.Name()) {
			out = append(out, u)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w %s", ErrNoUnit, end)
	}
	return out, nil
}
