package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"brunt/scenarios"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/docker/go-connections/nat"
)

// FleetOptions say how to run a stack of containers.
type FleetOptions struct {
	Run     string            // names the run; all that is made carries it in the label [RunLabel]
	Engine  client.APIClient  // that the containers are made in
	Labels  map[string]string // more of them
	Publish bool              // they are reached by ports of this machine, as their own addresses can't be reached from here
	// Self makes an image of brunt itself, which services without an image of their own
	// run.
	Self func(ctx context.Context) (id string, err error)
	Log  *slog.Logger
	// Event is told what happens to a unit: ready.
	Event func(event, unit, text string)
}

// Labels of what a run makes in an engine.
const (
	RunLabel     = "brunt.run"     // the run's name
	ServiceLabel = "brunt.service" // of a container
)

// A Fleet is a stack of containers that the engine supervises.
//
// Each has an address of its own in each of its networks, which stays over restarts, and
// is called by the name of its service, which stands for all replicas, and by that of its
// unit, such as posts-0.
type Fleet struct {
	spec  Spec
	o     FleetOptions
	units []*Member

	networks map[string]*fleetNetwork
	images   map[string]string // by service, where it is brunt itself
}

// fleetNetwork is a network that was made for the run.
type fleetNetwork struct {
	id     string
	subnet netip.Prefix
	next   netip.Addr
}

// A Member is one container of a fleet.
type Member struct {
	Service string
	Index   int

	fleet *Fleet
	spec  *Service
	id    string
	at    map[string]netip.Addr // by network
	port  *port                 // of this machine; nil is that it is reached at its own
}

// commonNetwork is the one that services without any share.
const commonNetwork = "default"

// NewFleet readies a stack of containers. Nothing is made yet.
func NewFleet(spec Spec, o FleetOptions) (*Fleet, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Run == "" {
		o.Run = rand.Text()
	}
	if o.Event == nil {
		o.Event = func(string, string, string) {}
	}
	f := &Fleet{spec: spec, o: o, networks: map[string]*fleetNetwork{}, images: map[string]string{}}
	for i := range spec.Services {
		svc := &spec.Services[i]
		for j := range svc.Replicas {
			m := &Member{Service: svc.Name, Index: j, fleet: f, spec: svc, at: map[string]netip.Addr{}}
			if o.Publish && svc.Port != 0 {
				var err error
				if m.port, err = reserve(0, 0); err != nil {
					f.free()
					return nil, fmt.Errorf("a port for %s: %w", m.Name(), err)
				}
			}
			f.units = append(f.units, m)
		}
	}
	return f, nil
}

func (f *Fleet) free() {
	for _, m := range f.units {
		if m.port != nil {
			m.port.free()
		}
	}
}

// Units lists the containers in the order of their services.
func (f *Fleet) Units() []*Member { return f.units }

// Name is service[i].
func (m *Member) Name() string { return UnitName(m.Service, m.Index) }

// ID is the engine's id of the container. It is empty until the fleet is up.
func (m *Member) ID() string { return m.id }

// Addr is the host:port by which the container is reached from this machine; empty is that
// it listens nowhere. It stays over restarts.
func (m *Member) Addr() string {
	switch {
	case m.spec.Port == 0:
		return ""
	case m.port != nil:
		return fmt.Sprintf("127.0.0.1:%d", m.port.number)
	}
	ip, ok := m.at[m.spec.networks()[0]]
	if !ok {
		return ""
	}
	return netip.AddrPortFrom(ip, uint16(m.spec.Port)).String()
}

// Addresses are those that the container has in its networks.
func (m *Member) Addresses() []netip.Addr {
	return slices.Collect(maps.Values(m.at))
}

// Ready makes the unit's readiness check once.
func (m *Member) Ready(ctx context.Context) error {
	if m.spec.Port == 0 {
		return m.healthy(ctx)
	}
	return Check(ctx, m.Addr(), m.spec.Ready)
}

// healthy asks the engine.
func (m *Member) healthy(ctx context.Context) error {
	i, err := m.fleet.o.Engine.ContainerInspect(ctx, m.id)
	if err != nil {
		return err
	}
	return healthOf(i.State)
}

// Asks tells whether the unit can be asked for an answer: it listens somewhere.
func (m *Member) Asks() bool { return m.spec.Port != 0 }

// Ask asks once for an answer that only a process can give; nil means that something
// came back, whatever it was.
func (m *Member) Ask(ctx context.Context) error { return ask(ctx, m.Addr(), m.spec.Ready) }

// networks are the names of those that the service is in.
func (s *Service) networks() []string {
	if len(s.Container.Networks) == 0 {
		return []string{commonNetwork}
	}
	return s.Container.Networks
}

// Addresses gives what ${unit.…} stands for in a scenario.
func (f *Fleet) Addresses() map[string]string {
	out := map[string]string{}
	for _, m := range f.units {
		addr := m.Addr()
		if addr == "" {
			continue
		}
		addresses(out, "unit."+m.Name(), addr)
		if m.Index == 0 {
			addresses(out, "unit."+m.Service, addr)
		}
	}
	return out
}

// Up makes networks and containers, starts those that others call first, and returns when
// all are ready. On an error nothing is left.
func (f *Fleet) Up(ctx context.Context) error {
	err := f.raise(ctx)
	if err != nil {
		err = errors.Join(err, f.Down(context.WithoutCancel(ctx)))
	}
	return err
}

func (f *Fleet) raise(ctx context.Context) error {
	if err := f.fetch(ctx); err != nil {
		return err
	}
	for i := range f.spec.Services {
		for _, name := range f.spec.Services[i].networks() {
			if f.networks[name] == nil {
				n, err := f.network(ctx, name)
				if err != nil {
					return err
				}
				f.networks[name] = n
			}
		}
	}
	for _, m := range f.units {
		for _, name := range m.spec.networks() {
			m.at[name] = f.networks[name].take()
		}
	}
	for _, m := range f.units {
		if err := m.make(ctx); err != nil {
			return fmt.Errorf("making %s: %w", m.Name(), err)
		}
	}
	for _, level := range f.spec.levels() {
		var wg sync.WaitGroup
		errs := make([]error, len(f.units))
		for i, m := range f.units {
			if slices.Contains(level, m.Service) {
				wg.Go(func() { errs[i] = m.start(ctx) })
			}
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// fetch sees to it that the engine has every image.
func (f *Fleet) fetch(ctx context.Context) error {
	self := ""
	for i := range f.spec.Services {
		s := &f.spec.Services[i]
		if s.Container.Image == "" {
			if self == "" {
				var err error
				if self, err = f.o.Self(ctx); err != nil {
					return err
				}
			}
			f.images[s.Name] = self
			continue
		}
		_, err := f.o.Engine.ImageInspect(ctx, s.Container.Image)
		if err == nil {
			continue
		}
		if !errdefs.IsNotFound(err) {
			return fmt.Errorf("the image %s: %w", s.Container.Image, err)
		}
		out, err := f.o.Engine.ImagePull(ctx, s.Container.Image, image.PullOptions{})
		if err == nil {
			_, err = io.Copy(io.Discard, out)
			_ = out.Close()
		}
		if err == nil {
			_, err = f.o.Engine.ImageInspect(ctx, s.Container.Image)
		}
		if err != nil {
			return fmt.Errorf("the engine has no image %s, and can't fetch it: %w; build or load it first", s.Container.Image, err)
		}
	}
	return nil
}

// networkTries is how often a subnet is asked for that somebody else may take meanwhile.
const networkTries = 5

// network makes a network of the run, with a subnet of its own choice: only there the
// engine lets a container have the address that it is to keep.
//
// The engine knows which subnets are free: it is asked for a network, and for another in
// its stead with the subnet that it chose.
func (f *Fleet) network(ctx context.Context, name string) (*fleetNetwork, error) {
	full := f.object(name)
	labels := f.labels()
	var last error
	for range networkTries {
		made, err := f.o.Engine.NetworkCreate(ctx, full, network.CreateOptions{Driver: "bridge", Labels: labels})
		if err != nil {
			return nil, fmt.Errorf("making the network %s: %w", name, err)
		}
		i, err := f.o.Engine.NetworkInspect(ctx, made.ID, network.InspectOptions{})
		if err == nil {
			err = f.o.Engine.NetworkRemove(ctx, made.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("making the network %s: %w", name, err)
		}
		subnet := netip.Prefix{}
		for _, c := range i.IPAM.Config {
			if p, err := netip.ParsePrefix(c.Subnet); err == nil && p.Addr().Is4() {
				subnet = p.Masked()
			}
		}
		if !subnet.IsValid() {
			return nil, fmt.Errorf("making the network %s: the engine gave it no subnet", name)
		}
		gateway := subnet.Addr().Next()
		made, err = f.o.Engine.NetworkCreate(ctx, full, network.CreateOptions{
			Driver: "bridge", Labels: labels,
			IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: subnet.String(), Gateway: gateway.String()}}},
		})
		if err == nil {
			return &fleetNetwork{id: made.ID, subnet: subnet, next: gateway}, nil
		}
		last = err // somebody else has taken it
	}
	return nil, fmt.Errorf("making the network %s: %w", name, last)
}

// take gives the next free address.
func (n *fleetNetwork) take() netip.Addr {
	n.next = n.next.Next()
	return n.next
}

// labels are those of all that the fleet makes.
func (f *Fleet) labels() map[string]string {
	out := maps.Clone(f.o.Labels)
	if out == nil {
		out = map[string]string{}
	}
	out[RunLabel] = f.o.Run
	return out
}

// object is what something of the run is called in the engine.
func (f *Fleet) object(name string) string { return "brunt-" + f.o.Run + "-" + name }

// alias is what a unit is called in its networks: no host name has brackets.
func alias(service string, index int) string { return service + "-" + strconv.Itoa(index) }

// make makes the container.
func (m *Member) make(ctx context.Context) error {
	f, s, c := m.fleet, m.spec, m.spec.Container
	values := f.values(m)
	config := &container.Config{
		Image: c.Image, Hostname: alias(m.Service, m.Index), ExposedPorts: nat.PortSet{},
		Labels: f.labels(),
	}
	config.Labels[ServiceLabel] = m.Service
	if c.Image == "" {
		config.Image = f.images[m.Service]
	}
	it := &scenarios.Iter{Env: &scenarios.Env{Units: values}}
	var err error
	if config.Env, err = m.environment(values, it); err != nil {
		return err
	}
	if config.Cmd, err = arguments(s.Command, it); err != nil {
		return err
	}
	if config.Entrypoint, err = arguments(c.Entrypoint, it); err != nil {
		return err
	}
	grace := int((s.Grace + time.Second - 1) / time.Second)
	config.StopTimeout = &grace
	if h := c.Health; h != nil {
		config.Healthcheck = h.config()
	}
	first := s.networks()[0]
	host := &container.HostConfig{
		NetworkMode: container.NetworkMode(f.networks[first].id), CapAdd: c.Capabilities, PortBindings: nat.PortMap{},
		RestartPolicy: container.RestartPolicy{Name: policy(s.Restart)},
		Resources:     container.Resources{Memory: int64(c.Memory), MemorySwap: int64(c.Memory), NanoCPUs: int64(c.CPUs * 1e9)},
	}
	for _, p := range c.Ports {
		port := nat.Port(fmt.Sprintf("%d/tcp", p))
		config.ExposedPorts[port] = struct{}{}
		if m.port != nil && p == s.Port {
			host.PortBindings[port] = []nat.PortBinding{{HostIP: "127.0.0.1", HostPort: strconv.Itoa(m.port.number)}}
		}
	}
	for _, from := range slices.Sorted(maps.Keys(c.Mounts)) {
		source := from
		if !filepath.IsAbs(source) {
			source = filepath.Join(filepath.Dir(c.At.File), source)
		}
		if source, err = filepath.Abs(source); err != nil {
			return err
		}
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeBind, Source: source, Target: c.Mounts[from], ReadOnly: true})
	}
	nets := &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{f.networks[first].id: m.endpoint(first)}}
	made, err := f.o.Engine.ContainerCreate(ctx, config, host, nets, nil, f.object(alias(m.Service, m.Index)))
	if err != nil {
		return err
	}
	m.id = made.ID
	for _, name := range s.networks()[1:] {
		if err := f.o.Engine.NetworkConnect(ctx, f.networks[name].id, m.id, m.endpoint(name)); err != nil {
			return err
		}
	}
	return nil
}

func (m *Member) endpoint(net string) *network.EndpointSettings {
	return &network.EndpointSettings{
		Aliases:    []string{m.Service, alias(m.Service, m.Index)},
		IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: m.at[net].String()},
	}
}

// policy is the engine's word for a restart policy.
func policy(restart string) container.RestartPolicyMode {
	if restart == "never" {
		return container.RestartPolicyDisabled
	}
	return container.RestartPolicyMode(restart)
}

const (
	healthEvery   = time.Second
	healthTimeout = 2 * time.Second
	healthRetries = 3
)

func (h *Health) config() *container.HealthConfig {
	out := &container.HealthConfig{Test: append([]string{"CMD"}, h.Command...), Interval: healthEvery, Timeout: healthTimeout, Retries: healthRetries, StartPeriod: h.Start.D()}
	if h.Every != 0 {
		out.Interval = h.Every.D()
	}
	if h.Timeout != 0 {
		out.Timeout = h.Timeout.D()
	}
	if h.Retries != 0 {
		out.Retries = h.Retries
	}
	return out
}

func arguments(c command, it *scenarios.Iter) ([]string, error) {
	var out []string
	for i := range c {
		arg, err := c[i].Append(nil, it)
		if err != nil {
			return nil, err
		}
		out = append(out, string(arg))
	}
	return out, nil
}

// environment is what brunt tells a container's process, and what its author gave, which
// wins.
func (m *Member) environment(values map[string]string, it *scenarios.Iter) ([]string, error) {
	env := map[string]string{"BRUNT_UNIT": m.Name()}
	if m.spec.Port != 0 {
		env["BRUNT_ADDR"], env["PORT"] = values["self.addr"], values["self.port"]
	}
	return m.spec.environment(env, m.Index, m.fleet.inside, it)
}

// inside lists the addresses by which containers reach the replicas of a service.
func (f *Fleet) inside(service string) []string {
	var out []string
	s := f.spec.Service(service)
	for i := range s.Replicas {
		addr := alias(service, i)
		if s.Port != 0 {
			addr += ":" + strconv.Itoa(s.Port)
		}
		out = append(out, addr)
	}
	return out
}

// values is what ${self.…}, ${link.…} and ${unit.…} stand for in the settings of m: names
// that its networks know.
func (f *Fleet) values(m *Member) map[string]string {
	out := map[string]string{}
	for i := range f.spec.Services {
		s := &f.spec.Services[i]
		for j, addr := range f.inside(s.Name) {
			for _, kind := range []string{"unit.", "link."} {
				if kind == "link." && !slices.Contains(m.spec.Links, s.Name) {
					continue
				}
				addresses(out, kind+UnitName(s.Name, j), addr)
				if j == 0 {
					addresses(out, kind+s.Name, addr)
				}
			}
		}
	}
	if m.spec.Port != 0 {
		addresses(out, "self", fmt.Sprintf("0.0.0.0:%d", m.spec.Port))
	}
	out["self.index"], out["self.name"] = strconv.Itoa(m.Index), m.Name()
	return out
}

// start starts the container and waits until it is ready.
func (m *Member) start(ctx context.Context) error {
	if m.port != nil {
		m.port.release()
	}
	if err := m.fleet.o.Engine.ContainerStart(ctx, m.id, container.StartOptions{}); err != nil {
		return fmt.Errorf("starting %s: %w", m.Name(), err)
	}
	within := m.spec.Ready.WithinOr()
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := m.Ready(limited)
		if err == nil {
			m.fleet.o.Event("unit.ready", m.Name(), "")
			return nil
		}
		why := m.down(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case why != "":
			return m.unready(ctx, why)
		case limited.Err() != nil:
			return m.unready(ctx, fmt.Sprintf("not within %s: %v", scenarios.FormatDuration(within), err))
		}
		select {
		case <-limited.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// down tells why the container never becomes ready.
func (m *Member) down(ctx context.Context) string {
	i, err := m.fleet.o.Engine.ContainerInspect(ctx, m.id)
	switch {
	case err != nil:
		return ""
	case i.RestartCount >= mostStarts:
		return "it keeps ending"
	case i.State.Status == container.StateExited:
		return fmt.Sprintf("it has ended with exit code %d", i.State.ExitCode)
	}
	return ""
}

// unready tells why a container is not ready, with the end of its output.
func (m *Member) unready(ctx context.Context, why string) error {
	out := &output{}
	if logs, err := m.fleet.o.Engine.ContainerLogs(ctx, m.id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: "20"}); err == nil {
		_, _ = stdcopy.StdCopy(out, out, logs)
		_ = logs.Close()
	}
	if tail := out.tail(); tail != "" {
		return fmt.Errorf("%s is not ready: %s; its output ends:\n%s", m.Name(), why, tail)
	}
	return fmt.Errorf("%s is not ready: %s; it wrote nothing", m.Name(), why)
}

// Down removes every container and network of the fleet, and the image that was made for
// it. It can be called again.
func (f *Fleet) Down(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, len(f.units))
	for i, m := range f.units {
		if m.id != "" {
			wg.Go(func() { errs[i] = f.remove(ctx, m) })
		}
	}
	wg.Wait()
	f.free()
	for _, name := range slices.Sorted(maps.Keys(f.networks)) {
		if err := f.o.Engine.NetworkRemove(ctx, f.networks[name].id); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("removing the network %s: %w", name, err))
		}
	}
	for _, id := range slices.Compact(slices.Sorted(maps.Values(f.images))) {
		if _, err := f.o.Engine.ImageRemove(ctx, id, image.RemoveOptions{Force: true}); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("removing the image of brunt itself: %w", err))
		}
	}
	return errors.Join(errs...)
}

// remove ends a container in good order and removes it.
func (f *Fleet) remove(ctx context.Context, m *Member) error {
	grace := int((m.spec.Grace + time.Second - 1) / time.Second)                    // the engine counts whole seconds
	_ = f.o.Engine.ContainerStop(ctx, m.id, container.StopOptions{Timeout: &grace}) // what it does not do, the next does
	err := f.o.Engine.ContainerRemove(ctx, m.id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("removing %s: %w", m.Name(), err)
	}
	return nil
}
