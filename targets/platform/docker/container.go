package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/targets/platform/containers"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
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
	is, err := e.api.ContainerInspect(ctx, ref, client.ContainerInspectOptions{})
	i := is.Container
	if err != nil {
		return i, err
	}
	if i.ID == "" {
		return i, errors.New("the answer describes no container")
	}
	i.HostConfig, i.Config = cmp.Or(i.HostConfig, &container.HostConfig{}), cmp.Or(i.Config, &container.Config{})
	i.NetworkSettings = cmp.Or(i.NetworkSettings, &container.NetworkSettings{})
	maps.DeleteFunc(i.NetworkSettings.Networks, func(_ string, ep *network.EndpointSettings) bool { return ep == nil })
	return i, nil
}

func describe(i container.InspectResponse) containers.Container {
	c := containers.Container{
		ID: i.ID, Name: strings.TrimPrefix(i.Name, "/"), ImageID: i.Image, Restarts: i.RestartCount,
		Public: map[int]netip.AddrPort{},
	}
	c.Made, _ = time.Parse(time.RFC3339Nano, i.Created)
	if i.Config != nil {
		c.Image, c.Labels = i.Config.Image, i.Config.Labels
		for p := range i.Config.ExposedPorts {
			if p.Proto() == network.TCP {
				c.Ports = append(c.Ports, int(p.Num()))
			}
		}
	}
	_, c.Agent = c.AgentOf()
	if s := i.State; s != nil {
		c.State, c.Running, c.Paused, c.OOM, c.Exit = string(s.Status), s.Running, s.Paused, s.OOMKilled, s.ExitCode
		if s.Running {
			c.PID = s.Pid
		}
		c.Started, _ = time.Parse(time.RFC3339Nano, s.StartedAt)
		if s.Health != nil && s.Health.Status != container.NoHealthcheck {
			c.Health = string(s.Health.Status)
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
			c.Networks = append(c.Networks, containers.Network{
				ID: ep.NetworkID, Name: name, Endpoint: ep.EndpointID, Address: ep.IPAddress, Address6: ep.GlobalIPv6Address,
			})
		}
		for p, bound := range n.Ports {
			number := int(p.Num())
			if p.Proto() != network.TCP {
				continue
			}
			if !slices.Contains(c.Ports, number) {
				c.Ports = append(c.Ports, number)
			}
			for _, b := range bound {
				host := cmp.Or(b.HostIP, netip.IPv4Unspecified())
				if port, err := strconv.ParseUint(b.HostPort, 10, 16); err == nil && host.Is4() {
					if host.IsUnspecified() {
						host = loopback
					}
					c.Public[number] = netip.AddrPortFrom(host, uint16(port))
				}
			}
		}
	}
	slices.Sort(c.Ports)
	slices.SortFunc(c.Networks, func(a, b containers.Network) int { return strings.Compare(a.Name, b.Name) })
	return c
}

// loopback is where the engine publishes ports for this machine.
var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

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
	f := client.Filters{}
	for name, value := range q.AllLabels() {
		f.Add("label", strings.TrimSuffix(name+"="+value, "="))
	}
	soon, cancel := e.within.soon(ctx)
	defer cancel()
	list, err := e.api.ContainerList(soon, client.ContainerListOptions{All: true, Filters: f})
	if err != nil {
		return nil, fmt.Errorf("listing containers: %w", e.within.unanswered(ctx, err))
	}
	var out []containers.Container
	for _, s := range list.Items {
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
