package docker

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
)

// Labels of containers, networks and images.
const (
	RunLabel       = "brunt.run"     // on all that a run makes: its name
	OwnerLabel     = "brunt.owner"   // beside it: the number of the user whose run it is
	ServiceLabel   = "brunt.service" // on its containers: the service
	HelperLabel    = "brunt.helper"  // on brunt's own helpers
	BesideLabel    = "brunt.beside"  // on those that stand beside a brunt in a container: its id
	ProtectLabel   = "brunt.protect" // "true" on what no fault may touch
	ComposeProject = "com.docker.compose.project"
	ComposeService = "com.docker.compose.service"
	composeNumber  = "com.docker.compose.container-number"
)

// A Container is one container as the engine describes it at a moment.
type Container struct {
	ID       string
	Name     string // without the leading slash
	Image    string // as it was named
	ImageID  string
	State    string // created, running, paused, restarting, exited, dead
	Running  bool   // paused ones run too
	Paused   bool
	OOM      bool // its last end was the kernel's, for want of memory
	Exit     int  // the code of its last end
	PID      int  // of its first process, as the engine's machine counts; 0 is none
	Made     time.Time
	Started  time.Time // last
	Health   string    // starting, healthy, unhealthy; empty is that it has no check
	Restart  string    // its policy: no, always, on-failure, unless-stopped
	Shares   string    // the network that it has together with others: host, or container:ID; empty is one of its own
	Removed  bool      // the engine removes it once it has ended
	Restarts int       // made by the policy
	Labels   map[string]string
	Networks []Network
	Ports    []int                  // TCP ports that it says it listens on, ascending
	Public   map[int]netip.AddrPort // where the machine forwards them from
	Helper   bool                   // one of brunt's own
}

// A Network is a network that a container is in.
type Network struct {
	ID       string
	Name     string
	Endpoint string     // the id of the link to it; another one each time that the container is connected
	Address  netip.Addr // the zero Addr is that it has none now
	Address6 netip.Addr
}

// Supervised tells whether the engine starts the container again when it crashes.
func (c *Container) Supervised() bool {
	return c.Restart != "" && c.Restart != string(container.RestartPolicyDisabled)
}

// Protected tells why no fault may touch the container, or nil.
func (c *Container) Protected() error {
	switch {
	case c.Labels[ProtectLabel] == "true":
		return fmt.Errorf("container %s is labelled %s=true: brunt does not touch it", c.Name, ProtectLabel)
	case c.Helper:
		return fmt.Errorf("container %s is brunt's own helper", c.Name)
	case c.ID == Self():
		return fmt.Errorf("container %s is the one that brunt runs in", c.Name)
	}
	return nil
}

// Same tells whether it still is the container that was meant, as it was started then.
func (c *Container) Same(id string, started time.Time) bool {
	return c.ID == id && c.Started.Equal(started)
}

// ErrGone tells that there is no such container, or network.
var ErrGone = errdefs.ErrNotFound

// Inspect describes a container by its id or name. Where there is none the error is an
// [ErrGone].
func (e *Engine) Inspect(ctx context.Context, ref string) (Container, error) {
	if err := e.Ping(ctx); err != nil {
		return Container{}, err
	}
	i, err := e.api.ContainerInspect(ctx, ref)
	if err != nil {
		if gone(err) {
			return Container{}, fmt.Errorf("container %s: %w", ref, ErrGone)
		}
		return Container{}, fmt.Errorf("inspecting container %s: %w", ref, err)
	}
	return describe(i), nil
}

func describe(i container.InspectResponse) Container {
	c := Container{ID: i.ID, Name: strings.TrimPrefix(i.Name, "/"), ImageID: i.ContainerJSONBase.Image, Restarts: i.RestartCount, Public: map[int]netip.AddrPort{}}
	c.Made, _ = time.Parse(time.RFC3339Nano, i.Created)
	if i.Config != nil {
		c.Image, c.Labels = i.Config.Image, i.Config.Labels
		for p := range i.Config.ExposedPorts {
			if p.Proto() == "tcp" {
				c.Ports = append(c.Ports, p.Int())
			}
		}
	}
	_, c.Helper = c.Labels[HelperLabel]
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
			one := Network{ID: ep.NetworkID, Name: name, Endpoint: ep.EndpointID}
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
				if at, err := netip.ParseAddrPort(b.HostIP + ":" + b.HostPort); err == nil && at.Addr().Is4() {
					if at.Addr().IsUnspecified() {
						at = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port())
					}
					c.Public[p.Int()] = at
				}
			}
		}
	}
	slices.Sort(c.Ports)
	slices.SortFunc(c.Networks, func(a, b Network) int { return strings.Compare(a.Name, b.Name) })
	return c
}

// Addresses lists the addresses that the container has in its networks.
func (c *Container) Addresses() []netip.Addr {
	var out []netip.Addr
	for _, n := range c.Networks {
		for _, a := range []netip.Addr{n.Address, n.Address6} {
			if a.IsValid() {
				out = append(out, a)
			}
		}
	}
	return out
}

// A Query selects containers: those that match all of it. The zero Query matches none.
type Query struct {
	Container string            // a name, an id or the beginning of one of at least 12 characters
	Labels    map[string]string // that they carry; an empty value is any
	Project   string            // of Compose
	Service   string            // of the project
	Network   string            // that they are in, by name or id
}

// IsZero tells whether the query asks for nothing.
func (q Query) IsZero() bool {
	return q.Container == "" && len(q.Labels) == 0 && q.Project == "" && q.Service == "" && q.Network == ""
}

// String says who is meant, for people.
func (q Query) String() string {
	var parts []string
	add := func(what, value string) {
		if value != "" {
			parts = append(parts, what+" "+value)
		}
	}
	add("container", q.Container)
	add("project", q.Project)
	add("service", q.Service)
	for _, name := range slices.Sorted(maps.Keys(q.Labels)) {
		add("label", strings.TrimSuffix(name+"="+q.Labels[name], "="))
	}
	add("network", q.Network)
	return strings.Join(parts, ", ")
}

// Matches tells whether a container is among those that the query selects.
func (q Query) Matches(c *Container) bool {
	const least = 12 // of an id, as docker ps shows it
	if q.Container != "" && c.Name != q.Container && (len(q.Container) < least || !strings.HasPrefix(c.ID, q.Container)) {
		return false
	}
	for name, value := range q.labels() {
		has, ok := c.Labels[name]
		if !ok || value != "" && has != value {
			return false
		}
	}
	in := q.Network == "" || slices.ContainsFunc(c.Networks, func(n Network) bool { return n.Name == q.Network || n.ID == q.Network })
	return in && !q.IsZero()
}

// labels are all that the query wants.
func (q Query) labels() map[string]string {
	out := maps.Clone(q.Labels)
	if out == nil {
		out = map[string]string{}
	}
	if q.Project != "" {
		out[ComposeProject] = q.Project
	}
	if q.Service != "" {
		out[ComposeService] = q.Service
	}
	return out
}

// List gives the containers that a query selects, those that don't run included, in a
// lasting order: replicas of a Compose service by their number, others by name.
func (e *Engine) List(ctx context.Context, q Query) ([]Container, error) {
	if err := e.Ping(ctx); err != nil {
		return nil, err
	}
	f := filters.NewArgs()
	for name, value := range q.labels() {
		f.Add("label", strings.TrimSuffix(name+"="+value, "="))
	}
	list, err := e.api.ContainerList(ctx, container.ListOptions{All: true, Filters: f})
	if err != nil {
		return nil, fmt.Errorf("listing containers: %w", err)
	}
	var out []Container
	for _, s := range list {
		named := slices.ContainsFunc(s.Names, func(n string) bool { return strings.TrimPrefix(n, "/") == q.Container })
		if q.Container != "" && !named && !strings.HasPrefix(s.ID, q.Container) {
			continue
		}
		c, err := e.Inspect(ctx, s.ID)
		if errdefs.IsNotFound(err) {
			continue // meanwhile
		}
		if err != nil {
			return nil, err
		}
		if q.Matches(&c) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Container) int {
		return cmp.Or(
			strings.Compare(a.Labels[ComposeService], b.Labels[ComposeService]),
			cmp.Compare(len(a.Labels[composeNumber]), len(b.Labels[composeNumber])),
			strings.Compare(a.Labels[composeNumber], b.Labels[composeNumber]),
			strings.Compare(a.Name, b.Name),
		)
	})
	return out, nil
}
