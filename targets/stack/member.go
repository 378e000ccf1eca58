package stack

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/template"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/docker/go-connections/nat"
)

// A Member is one container of a fleet.
type Member struct {
	Service string
	Index   int

	fleet *Fleet
	spec  *Service
	id    string
	at    map[string]netip.Addr // by network
	port  *port                 // of this machine; nil if the container is reached at its own address
}

// Name returns service[i].
func (m *Member) Name() string { return UnitName(m.Service, m.Index) }

// ID returns the engine's id of the container. It is empty until the fleet is up.
func (m *Member) ID() string { return m.id }

// Addr returns the host:port by which the container is reached from this machine; empty if it does
// not listen. It stays over restarts.
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

// Addresses returns the addresses of the container in its networks.
func (m *Member) Addresses() []netip.Addr {
	return slices.Collect(maps.Values(m.at))
}

// Ready runs the unit's readiness check once.
func (m *Member) Ready(ctx context.Context) error {
	if m.spec.Port == 0 {
		return m.healthy(ctx)
	}
	return Check(ctx, m.Addr(), m.spec.Ready)
}

// healthy asks the engine for the container's health.
func (m *Member) healthy(ctx context.Context) error {
	i, err := m.fleet.o.Engine.ContainerInspect(ctx, m.id)
	if err != nil {
		return err
	}
	return healthOf(i.State)
}

// Asks reports whether the unit can be asked for an answer: it listens on a port.
func (m *Member) Asks() bool { return m.spec.Port != 0 }

// Ask requests one answer that only a running process can give; nil means that any answer arrived.
func (m *Member) Ask(ctx context.Context) error { return ask(ctx, m.Addr(), m.spec.Ready) }

// alias returns a unit's host name in its networks, which can't contain brackets.
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
	it := &template.Iter{Env: &template.Env{Units: values}}
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

// policy returns the engine's name of a restart policy.
func policy(restart string) container.RestartPolicyMode {
	if restart == "never" {
		return container.RestartPolicyDisabled
	}
	return container.RestartPolicyMode(restart)
}

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

func arguments(c command, it *template.Iter) ([]string, error) {
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

// environment returns the environment of a container's process: brunt's variables, overridden by
// those of the scenario.
func (m *Member) environment(values map[string]string, it *template.Iter) ([]string, error) {
	env := map[string]string{"BRUNT_UNIT": m.Name()}
	if m.spec.Port != 0 {
		env["BRUNT_ADDR"], env["PORT"] = values["self.addr"], values["self.port"]
	}
	return m.spec.environment(env, m.Index, m.fleet.inside, it)
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
			return m.unready(ctx, fmt.Sprintf("not within %s: %v", quantity.FormatDuration(within), err))
		}
		select {
		case <-limited.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// down returns why the container never becomes ready.
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

// unready returns an error that says why a container is not ready, with the end of its output.
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
