package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"brunt/targets/platform/containers"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
)

// ErrGone reports that a container or network does not exist.
var ErrGone = errdefs.ErrNotFound

// Inspect describes a container by its id or name. If there is none, the error is an [ErrGone].
func (e *Engine) Inspect(ctx context.Context, ref string) (containers.Container, error) {
	if err := e.Ping(ctx); err != nil {
		return containers.Container{}, err
	}
	soon, cancel := e.within.soon(ctx)
	defer cancel()
	i, err := e.inspect(soon, ref)
	if err != nil {
		if gone(err) {
			return containers.Container{}, fmt.Errorf("container %s: %w", ref, ErrGone)
		}
		return containers.Container{}, fmt.Errorf("inspecting container %s: %w", ref, e.within.unanswered(ctx, err))
	}
	return describe(i), nil
}

// inspect asks the engine for a container. It fills in the parts that Docker always sends, because another server at
// the address may leave them out.
func (e *Engine) inspect(ctx context.Context, ref string) (container.InspectResponse, error) {
	i, err := e.api.ContainerInspect(ctx, ref)
	if err != nil {
		return i, err
	}
	if i.ContainerJSONBase == nil {
		return i, errors.New("the answer describes no container")
	}
	i.HostConfig, i.Config = cmp.Or(i.HostConfig, &container.HostConfig{}), cmp.Or(i.Config, &container.Config{})
	i.NetworkSettings = cmp.Or(i.NetworkSettings, &container.NetworkSettings{})
	maps.DeleteFunc(i.NetworkSettings.Networks, func(_ string, ep *network.EndpointSettings) bool { return ep == nil })
	return i, nil
}

func describe(i container.InspectResponse) containers.Container {
	c := containers.Container{
		ID: i.ID, Name: strings.TrimPrefix(i.Name, "/"), ImageID: i.ContainerJSONBase.Image, Restarts: i.RestartCount,
		Public: map[int]netip.AddrPort{},
	}
	c.Made, _ = time.Parse(time.RFC3339Nano, i.Created)
	if i.Config != nil {
		c.Image, c.Labels = i.Config.Image, i.Config.Labels
		for p := range i.Config.ExposedPorts {
			if p.Proto() == "tcp" {
				c.Ports = append(c.Ports, p.Int())
			}
		}
	}
	_, c.Agent = c.AgentOf()
	if s := i.State; s != nil {
		c.State, c.Running, c.Paused, c.OOM, c.Exit = s.Status, s.Running, s.Paused, s.OOMKilled, s.ExitCode
		if s.Running {
			c.PID = s.Pid
		}
		c.Started, _ = time.Parse(time.RFC3339Nano, s.StartedAt)
		if s.Health != nil && s.Health.Status != container.NoHealthcheck {
			c.Health = s.Health.Status
		}
	}
	if h := i.HostConfig; h != nil {
		c.Restart, c.Removed = string(h.RestartPolicy.Name), h.AutoRemove
		if h.NetworkMode.IsHost() || h.NetworkMode.IsContainer() {
			c.Shares = string(h.NetworkMode)
		}
	}
	if n := i.NetworkSettings; n != nil {
		for name, ep := range n.Networks {
			one := containers.Network{ID: ep.NetworkID, Name: name, Endpoint: ep.EndpointID}
			one.Address, _ = netip.ParseAddr(ep.IPAddress)
			one.Address6, _ = netip.ParseAddr(ep.GlobalIPv6Address)
			c.Networks = append(c.Networks, one)
		}
		for p, bound := range n.Ports {
			if p.Proto() != "tcp" {
				continue
			}
			if !slices.Contains(c.Ports, p.Int()) {
				c.Ports = append(c.Ports, p.Int())
			}
			for _, b := range bound {
				if at, err := netip.ParseAddrPort(cmp.Or(b.HostIP, "0.0.0.0") + ":" + b.HostPort); err == nil && at.Addr().Is4() {
					if at.Addr().IsUnspecified() {
						at = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port())
					}
					c.Public[p.Int()] = at
				}
			}
		}
	}
	slices.Sort(c.Ports)
	slices.SortFunc(c.Networks, func(a, b containers.Network) int { return strings.Compare(a.Name, b.Name) })
	return c
}

// List returns the containers that a query selects, including stopped ones, in a stable order: replicas of a Compose
// service by their number, others by name.
func (e *Engine) List(ctx context.Context, q containers.Query) ([]containers.Container, error) {
	if q.IsZero() {
		return nil, nil
	}
	return list(ctx, e, q)
}

// All returns all containers of an engine, including stopped ones, in a stable order.
func All(ctx context.Context, e *Engine) ([]containers.Container, error) {
	return list(ctx, e, containers.Query{})
}

// list returns the containers that a query selects; the zero query selects all.
func list(ctx context.Context, e *Engine, q containers.Query) ([]containers.Container, error) {
	if err := e.Ping(ctx); err != nil {
		return nil, err
	}
	f := filters.NewArgs()
	for name, value := range q.AllLabels() {
		f.Add("label", strings.TrimSuffix(name+"="+value, "="))
	}
	soon, cancel := e.within.soon(ctx)
	defer cancel()
	list, err := e.api.ContainerList(soon, container.ListOptions{All: true, Filters: f})
	if err != nil {
		return nil, fmt.Errorf("listing containers: %w", e.within.unanswered(ctx, err))
	}
	var out []containers.Container
	for _, s := range list {
		named := slices.ContainsFunc(s.Names, func(n string) bool { return strings.TrimPrefix(n, "/") == q.Container })
		if q.Container != "" && !named && !strings.HasPrefix(s.ID, q.Container) {
			continue
		}
		c, err := e.Inspect(ctx, s.ID)
		if errdefs.IsNotFound(err) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		if q.IsZero() || q.Matches(&c) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b containers.Container) int {
		return cmp.Or(
			strings.Compare(a.Labels[containers.ComposeService], b.Labels[containers.ComposeService]),
			cmp.Compare(len(a.Labels[containers.ComposeNumber]), len(b.Labels[containers.ComposeNumber])),
			strings.Compare(a.Labels[containers.ComposeNumber], b.Labels[containers.ComposeNumber]),
			strings.Compare(a.Name, b.Name),
		)
	})
	return out, nil
}
