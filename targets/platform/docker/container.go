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

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
)

// Labels of containers, networks and images.
const (
	RunLabel       = "brunt.run"     // on everything that a run makes: its name
	OwnerLabel     = "brunt.owner"   // on the same objects: the user id of the run's owner
	ServiceLabel   = "brunt.service" // on containers of a run: the service
	AgentLabel     = "brunt.agent"   // on brunt's own agents: the run, or [WatchdogOf] the run
	InsideLabel    = "brunt.inside"  // on agents in the network of a container: [InsideOf] the run and that container
	BesideLabel    = "brunt.beside"  // on agents beside a brunt that runs in a container: the id of that container
	ProtectLabel   = "brunt.protect" // "true" on containers that no fault may affect
	ComposeProject = "com.docker.compose.project"
	ComposeService = "com.docker.compose.service"
	composeNumber  = "com.docker.compose.container-number"
)

// Names of earlier versions. Agents have them beside the new ones, so that an earlier version that reads the journal of
// this one finds them; and what an earlier version left is found and removed.
const (
	oldAgentLabel = "brunt.helper" // [AgentLabel]
	oldWatchdogOf = "warden-"      // the beginning of [WatchdogOf]
)

// A Container is the state of one container, as reported by the engine.
type Container struct {
	ID       string
	Name     string // without the leading slash
	Image    string // as it was requested
	ImageID  string
	State    string // created, running, paused, restarting, exited, dead
	Running  bool   // true for paused containers too
	Paused   bool
	OOM      bool // the kernel killed it because it was out of memory
	Exit     int  // its last exit code
	PID      int  // of its first process, in the PID namespace of the engine's machine; 0 is none
	Made     time.Time
	Started  time.Time // the last start
	Health   string    // starting, healthy, unhealthy; empty if it has no check
	Restart  string    // policy: no, always, on-failure, unless-stopped
	Shares   string    // whose network it shares: host, or container:ID; empty if it has its own
	Removed  bool      // the engine removes it after its end
	Restarts int       // restarts by the policy
	Labels   map[string]string
	Networks []Network
	Ports    []int                  // exposed TCP ports, ascending
	Public   map[int]netip.AddrPort // addresses of the machine that forward to them
	Agent    bool                   // one of brunt's own agents
}

// A Network is a network that a container is in.
type Network struct {
	ID       string
	Name     string
	Endpoint string     // id of the link; it changes with each connection
	Address  netip.Addr // the zero Addr if it has none now
	Address6 netip.Addr
}

// agentOf returns the value of the agent label, whichever version of brunt has set it.
func (c *Container) agentOf() (value string, ok bool) {
	for _, label := range []string{AgentLabel, oldAgentLabel} {
		if value, ok = c.Labels[label]; ok {
			break
		}
	}
	return value, ok
}

// WatchdogRun returns the run whose faults the container undoes if it is a watchdog.
func (c *Container) WatchdogRun() (run string, ok bool) {
	value, _ := c.agentOf()
	for _, prefix := range []string{WatchdogOf(""), oldWatchdogOf} {
		if run, ok = strings.CutPrefix(value, prefix); ok {
			return run, run != ""
		}
	}
	return "", false
}

// Supervised reports whether the engine restarts the container after a crash.
func (c *Container) Supervised() bool {
	return c.Restart != "" && c.Restart != string(container.RestartPolicyDisabled)
}

// Protected returns why no fault may affect the container, or nil.
func (c *Container) Protected() error {
	switch {
	case c.Labels[ProtectLabel] == "true":
		return fmt.Errorf("container %s is labelled %s=true: brunt does not touch it; without that label it may be hit", c.Name, ProtectLabel)
	case c.Agent:
		return fmt.Errorf("container %s is brunt's own agent", c.Name)
	case c.ID == Self():
		return fmt.Errorf("container %s is the one that brunt runs in", c.Name)
	}
	return nil
}

// Same reports whether the container has the id and has not been restarted since started.
func (c *Container) Same(id string, started time.Time) bool {
	return c.ID == id && c.Started.Equal(started)
}

// ErrGone reports that a container or network does not exist.
var ErrGone = errdefs.ErrNotFound

// Inspect describes a container by its id or name. If there is none, the error is an [ErrGone].
func (e *Engine) Inspect(ctx context.Context, ref string) (Container, error) {
	if err := e.Ping(ctx); err != nil {
		return Container{}, err
	}
	soon, cancel := e.within.soon(ctx)
	defer cancel()
	i, err := e.inspect(soon, ref)
	if err != nil {
		if gone(err) {
			return Container{}, fmt.Errorf("container %s: %w", ref, ErrGone)
		}
		return Container{}, fmt.Errorf("inspecting container %s: %w", ref, e.within.unanswered(ctx, err))
	}
	return describe(i), nil
}

// inspect asks the engine for a container. What Docker always sends is there: what answers may be something else, and leave parts out.
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
	_, c.Agent = c.agentOf()
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
	slices.SortFunc(c.Networks, func(a, b Network) int { return strings.Compare(a.Name, b.Name) })
	return c
}

// Addresses lists the container's addresses in its networks.
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

// A Query selects containers that match all its fields. The zero Query matches none.
type Query struct {
	Container string            // a name, an id or the beginning of one of at least 12 characters
	Labels    map[string]string // labels that they carry; an empty value matches any
	Project   string            // Compose project
	Service   string            // service of the project
	Network   string            // network that they are in, by name or id
}

// IsZero reports whether the query is empty.
func (q Query) IsZero() bool {
	return q.Container == "" && len(q.Labels) == 0 && q.Project == "" && q.Service == "" && q.Network == ""
}

// String describes the query for people.
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

// Matches reports whether the query selects a container.
func (q Query) Matches(c *Container) bool {
	const least = 12 // characters of an id, as docker ps shows it
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

// labels returns all labels that the query requires.
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

// List returns the containers that a query selects, including stopped ones, in a stable order:
// replicas of a Compose service by their number, others by name.
func (e *Engine) List(ctx context.Context, q Query) ([]Container, error) {
	if q.IsZero() {
		return nil, nil
	}
	return list(ctx, e, q)
}

// All returns all containers of an engine, including stopped ones, in a stable order.
func All(ctx context.Context, e *Engine) ([]Container, error) { return list(ctx, e, Query{}) }

// list returns the containers that a query selects; the zero query selects all.
func list(ctx context.Context, e *Engine, q Query) ([]Container, error) {
	if err := e.Ping(ctx); err != nil {
		return nil, err
	}
	f := filters.NewArgs()
	for name, value := range q.labels() {
		f.Add("label", strings.TrimSuffix(name+"="+value, "="))
	}
	soon, cancel := e.within.soon(ctx)
	defer cancel()
	list, err := e.api.ContainerList(soon, container.ListOptions{All: true, Filters: f})
	if err != nil {
		return nil, fmt.Errorf("listing containers: %w", e.within.unanswered(ctx, err))
	}
	var out []Container
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
