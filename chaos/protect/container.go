package protect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// container checks a container, its first process, and the containers that share something with it.
func (g *check) container(ctx context.Context, e *docker.Engine, is containers.Container, hit chaos.Hit) error {
	if err := g.protected(&is); err != nil {
		return err
	}
	pid := seen(e, &is)
	if pid != 0 {
		if err := always(pid); err != nil {
			return err
		}
	}
	guarded, err := g.guarded(ctx, e)
	if err != nil {
		return err
	}
	for i := range guarded {
		c := &guarded[i]
		if c.ID == is.ID {
			continue
		}
		if what := shared(&is, pid, c); what != "" {
			return fmt.Errorf("container %s shares its %s with container %s: %w", is.Name, what, c.Name, c.why)
		}
		if pid != 0 {
			if err := fills(pid, c, hit.Fills); err != nil {
				return err
			}
		}
	}
	return nil
}

// seen returns the pid of a container's first process, or 0 if brunt does not see the process by that pid: the engine
// is on another machine, or counts its processes in another namespace, so that the number belongs to another process
// here.
func seen(e *docker.Engine, c *containers.Container) int {
	if !e.Address().Local() || c.PID == 0 || !slices.Contains(proc.Containers(c.PID), c.ID) {
		return 0
	}
	return c.PID
}

// protected returns why a container itself is protected, or nil.
func (g *check) protected(c *containers.Container) error {
	if err := c.Protected(); err != nil {
		return err
	}
	return g.rules.Named(chaos.ContainerName(c.Name))
}

// A protectedContainer is a container that no fault may hit.
type protectedContainer struct {
	containers.Container
	why error
}

// guarded lists the protected containers of an engine, with their pids as brunt sees them.
func (g *check) guarded(ctx context.Context, e *docker.Engine) ([]protectedContainer, error) {
	if out, known := g.listed[e]; known {
		return out, nil
	}
	queries := []containers.Query{{Labels: map[string]string{containers.ProtectLabel: "true"}}}
	for _, name := range g.rules.Containers {
		queries = append(queries, containers.Query{Container: name})
	}
	var out []protectedContainer
	for _, q := range queries {
		found, err := e.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("which containers are protected: %w", err)
		}
		for i := range found {
			if why := g.protected(&found[i]); why != nil {
				found[i].PID = seen(e, &found[i])
				out = append(out, protectedContainer{found[i], why})
			}
		}
	}
	g.listed[e] = out
	return out, nil
}

// shared names the resource that a container, with its first process pid if that is visible here, shares with a
// protected container. "" means that a fault on the one does not affect the other.
func shared(is *containers.Container, pid int, c *protectedContainer) string {
	const other = "container:"
	joined := func(a, b *containers.Container) bool {
		id, ok := strings.CutPrefix(a.Shares, other)
		return ok && (id == b.ID || id == b.Name)
	}
	together := strings.HasPrefix(is.Shares, other) && is.Shares == c.Shares
	switch {
	case joined(is, &c.Container), joined(&c.Container, is), together, sameNamespace(pid, c.PID, "net"):
		return "network"
	case sameNamespace(pid, c.PID, "pid"):
		return "processes"
	case c.PID != 0 && slices.Contains(proc.Containers(c.PID), is.ID):
		return "control group"
	}
	return ""
}

// sameNamespace reports whether two processes share a namespace other than brunt's own, which is the machine's.
func sameNamespace(a, b int, kind string) bool {
	if a == 0 || b == 0 {
		return false
	}
	ns := proc.Namespace(a, kind)
	return ns != "" && ns == proc.Namespace(b, kind) && ns != proc.OwnNamespace(kind)
}

// apart reports whether a process, or one of its ancestors, is in other pid, mount or network namespaces than brunt.
func apart(pid int) bool {
	return slices.ContainsFunc(append([]int{pid}, proc.Ancestors(pid)...), func(p int) bool {
		return slices.ContainsFunc(insideBy, func(kind string) bool {
			ns := proc.Namespace(p, kind)
			return ns != "" && ns != proc.OwnNamespace(kind)
		})
	})
}

// insideBy are the kinds of namespaces which show that a process is inside a container, whatever its control group.
var insideBy = []string{"pid", "mnt", "net"}

// inside reports whether a process, or one of its ancestors, is in a namespace of a protected container.
func inside(pid int, c *protectedContainer) bool {
	return slices.ContainsFunc(append([]int{pid}, proc.Ancestors(pid)...), func(p int) bool {
		return slices.ContainsFunc(insideBy, func(kind string) bool { return sameNamespace(p, c.PID, kind) })
	})
}

// peers checks the containers at the addresses that a fault acts on.
func (g *check) peers(ctx context.Context, hit chaos.Hit) error {
	e, err := g.rules.Engine(ctx)
	switch {
	case errors.Is(err, docker.ErrNone):
		return nil
	case err != nil:
		return unread(fmt.Sprint(hit.Peers), err)
	}
	guarded, err := g.guarded(ctx, e)
	for i := range guarded {
		for _, addr := range guarded[i].Addresses() {
			for _, p := range hit.Peers {
				if p.Contains(addr) {
					return fmt.Errorf("%s is an address of container %s: %w", addr, guarded[i].Name, guarded[i].why)
				}
			}
		}
	}
	return err
}

// errFills says that a fault would fill a disk that a protected container writes to.
var errFills = errors.New("a container that writes elsewhere may be hit, such as with a volume of a filesystem of " +
	"its own")
