package protect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/container"
	"brunt/chaos/proc"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// Rules are the protections of policies, besides those that always hold.
type Rules struct {
	// Named returns the error by which policies protect the unit, process or container with a name, or nil.
	Named func(name string) error
	// Containers are the names of containers that the policies protect.
	Containers []string
	Namespaces []string // namespaces of clusters that the policies protect
	// labels of cluster objects that the policies protect, by key and value; an empty value is any
	Labels [][2]string
	// labels of the nodes that may be hit: a node must have all labels of each map, and an empty map allows none
	Nodes []map[string]string
	// Engine opens the engine of the machine's containers. It may be called more than once.
	Engine func(ctx context.Context) (*docker.Engine, error)
}

// A Guard refuses hits on protected things.
type Guard struct {
	rules Rules

	mu      sync.Mutex
	planned map[string]proc.Identity // processes at planning time, by the names of their units
}

// New returns a guard with rules.
func New(rules Rules) *Guard { return &Guard{rules: rules, planned: map[string]proc.Identity{}} }

// Begin begins a check of hits among targets. The returned function returns an error that says why a hit is forbidden,
// or nil. It asks each engine only once which containers are protected.
func (g *Guard) Begin(ctx context.Context, among *chaos.Targets) func(chaos.Hit) error {
	c := &check{Guard: g, among: among, listed: map[*docker.Engine][]protectedContainer{}}
	return func(hit chaos.Hit) error { return c.hit(ctx, hit) }
}

// A check checks several hits at one time.
type check struct {
	*Guard
	among  *chaos.Targets
	listed map[*docker.Engine][]protectedContainer
}

// hit returns an error that says why a hit is forbidden, or nil.
func (g *check) hit(ctx context.Context, hit chaos.Hit) error {
	if len(hit.Peers) > 0 {
		return g.peers(ctx, hit)
	}
	if err := g.rules.Named(hit.Name); err != nil {
		return err
	}
	ends := strings.Split(hit.Name, chaos.LinkArrow)
	for _, end := range ends {
		if err := g.unit(ctx, end, hit, len(ends) > 1); err != nil {
			return err
		}
	}
	return nil
}

// unit checks one unit, or with onLink one end of a link: then the fault hits brunt's proxy or the network of a
// container, and no process.
func (g *check) unit(ctx context.Context, name string, hit chaos.Hit, onLink bool) error {
	if number, ok := strings.CutPrefix(name, "pid "); ok {
		pid, err := strconv.Atoi(number)
		if err != nil {
			return nil
		}
		if err := g.same(name, pid, hit.Now); err != nil {
			return err
		}
		return g.process(ctx, pid, hit)
	}
	if node, ok := strings.CutPrefix(name, chaos.NodePrefix); ok {
		return g.node(ctx, node)
	}
	i := slices.IndexFunc(g.among.Units, func(u chaos.Unit) bool { return u.Name() == name })
	ref, found := strings.CutPrefix(name, chaos.ContainerPrefix)
	switch {
	case i >= 0:
		u := g.among.Units[i]
		if p, ok := cluster.Of(u); ok {
			return g.pod(ctx, p)
		}
		if c, ok := container.Of(u); ok {
			return g.inspected(ctx, c.Engine, c.Ref, hit)
		}
		pid := u.PID()
		if pid == 0 { // the unit does not run yet
			return nil
		}
		if onLink {
			return g.named(pid)
		}
		return g.process(ctx, pid, hit)
	case found:
		e, err := g.rules.Engine(ctx)
		switch {
		case errors.Is(err, docker.ErrNone):
			return nil // the fault itself reports what is missing
		case err != nil:
			return unread(name, err)
		}
		return g.inspected(ctx, e, ref, hit)
	}
	return nil
}

// inspected checks a container by its id or name.
func (g *check) inspected(ctx context.Context, e *docker.Engine, ref string, hit chaos.Hit) error {
	is, err := e.Inspect(ctx, ref)
	switch {
	case errors.Is(err, docker.ErrGone):
		return nil // the fault itself reports what is missing
	case err != nil:
		return unread(chaos.ContainerPrefix+ref, err)
	}
	return g.container(ctx, e, is, hit)
}

// same checks that a process is the one that was planned to be hit: its number may have been reused since.
func (g *Guard) same(name string, pid int, now bool) error {
	is, err := proc.Identify(pid)
	if err != nil {
		return fmt.Errorf("%w: %w", chaos.ErrNoUnit, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	was, known := g.planned[name]
	if now && known && was != is {
		return fmt.Errorf("%w: process %d is another one than when the fault was planned, which has ended since",
			chaos.ErrNoUnit, pid)
	}
	g.planned[name] = is
	return nil
}

// named checks the names of a process by the rules of policies: its number, the numbers of the processes above and
// below it and of those that left it, and the units that these processes are.
func (g *check) named(pid int) error {
	if err := g.rules.Named(chaos.PIDName(pid)); err != nil {
		return err
	}
	var units []chaos.Unit
	for _, u := range g.among.Units {
		if _, ok := container.Of(u); !ok { // containers are found by their control group
			units = append(units, u)
		}
	}
	check := func(other int, how string) error {
		err := g.rules.Named(chaos.PIDName(other))
		for _, u := range units {
			if err == nil && u.PID() == other {
				err = g.rules.Named(u.Name())
			}
		}
		if err != nil && other != pid {
			err = fmt.Errorf("process %d is %s process %d: %w", pid, how, other, err)
		}
		return err
	}
	for _, p := range append([]int{pid}, proc.Ancestors(pid)...) {
		if err := check(p, "below"); err != nil {
			return err
		}
	}
	for _, p := range proc.Tree(pid)[1:] {
		if err := check(p, "above"); err != nil {
			return err
		}
	}
	return nil
}

// process checks a process and the containers that it is in.
func (g *check) process(ctx context.Context, pid int, hit chaos.Hit) error {
	if err := always(pid); err != nil {
		return err
	}
	if err := g.named(pid); err != nil {
		return err
	}
	ids := proc.Containers(pid)
	if len(ids) == 0 {
		if err := proc.ProtectSystem(pid); err != nil {
			return notAllowed(err)
		}
	}
	if err := g.around(ctx, pid, ids, hit); err != nil {
		return err
	}
	if hit.Fills == "" && !apart(pid) {
		return nil
	}
	e, err := g.rules.Engine(ctx)
	switch {
	case errors.Is(err, docker.ErrNone): // so there is no container either
		return nil
	case err != nil:
		return unread(fmt.Sprintf("process %d", pid), err)
	}
	guarded, err := g.guarded(ctx, e)
	if err != nil {
		return err
	}
	for i := range guarded {
		c := &guarded[i]
		if inside(pid, c) {
			return fmt.Errorf("process %d is in a namespace of container %s: %w", pid, c.Name, c.why)
		}
		if err := fills(pid, c, hit.Fills); err != nil {
			return err
		}
	}
	return nil
}

// around checks the containers around a process, and those around its ancestors: a process can leave its control group.
func (g *check) around(ctx context.Context, pid int, ids []string, hit chaos.Hit) error {
	own := len(ids)
	for _, p := range proc.Ancestors(pid) {
		for _, id := range proc.Containers(p) {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	e, err := g.rules.Engine(ctx)
	if err != nil {
		return unknown(pid, ids[0], err)
	}
	for i, id := range ids {
		is, err := e.Inspect(ctx, id)
		switch {
		case err != nil && i > 0 && i < own: // of an engine inside the container before, which brunt may hit
			continue
		case err != nil:
			return unknown(pid, id, err)
		}
		if err = g.unitOf(ctx, is); err == nil {
			err = g.container(ctx, e, is, hit)
		}
		if err != nil {
			return fmt.Errorf("process %d is of container %s: %w", pid, is.Name, err)
		}
	}
	return nil
}

// unitOf checks the units that are this container.
func (g *check) unitOf(ctx context.Context, is containers.Container) error {
	for _, u := range g.among.Units {
		c, ok := container.Of(u)
		if !ok {
			continue
		}
		other, err := c.Engine.Inspect(ctx, c.Ref)
		switch {
		case errors.Is(err, docker.ErrGone):
			continue
		case err == nil && other.ID == is.ID:
			err = g.rules.Named(u.Name())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unknown refuses a process of a container whose labels can't be read.
func unknown(pid int, id string, err error) error {
	return fmt.Errorf("process %d: %w: it is of container %.12s, whose labels brunt can't read, so that container may "+
		"be protected: %w; "+
		"DOCKER_HOST names the engine of that container", pid, proc.ErrProtected, id, err)
}

// unread refuses a hit because the engine does not say which containers are protected.
func unread(name string, err error) error {
	return fmt.Errorf("%s: %w: brunt can't read which containers are protected: %w", name, proc.ErrProtected, err)
}

// always refuses hits that nothing allows, wherever the process is: on brunt, on the processes that started it, and on
// the parts of any brunt.
func always(pid int) error {
	err := proc.Protect(pid)
	if err == nil {
		err = proc.ProtectBrunts(pid)
	}
	if err != nil {
		return notAllowed(err)
	}
	return nil
}

// notAllowed says that a rule has no exception.
func notAllowed(err error) error { return fmt.Errorf("%w; nothing allows it", err) }
