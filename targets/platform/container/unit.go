package container

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"

	"brunt/scenarios/template"
	"brunt/targets/platform"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// A unit is one container of a group.
type unit struct {
	*platform.Unit

	driver *driver
	spec   *platform.Service
	id     string                // empty until Prepare
	at     map[string]netip.Addr // its addresses, by network
	port   *platform.Port        // of this machine; nil if the container is reached at its own address
}

var _ platform.Instance = (*unit)(nil)

func newUnit(d *driver, s *platform.Service, index int) *unit {
	u := &unit{driver: d, spec: s, at: map[string]netip.Addr{}}
	u.Unit = platform.NewUnit(s, index, u, d.o.Event)
	return u
}

// Ref returns the engine's id of the container. It is empty until the group is up.
func (u *unit) Ref() string { return u.id }

func (u *unit) Addr() string {
	switch {
	case u.spec.Port == 0:
		return ""
	case u.port != nil:
		return fmt.Sprintf("127.0.0.1:%d", u.port.Number())
	}
	ip, ok := u.at[networksOf(u.spec)[0]]
	if !ok {
		return ""
	}
	return netip.AddrPortFrom(ip, uint16(u.spec.Port)).String()
}

// alias returns a unit's host name in its networks, which can't contain brackets.
func alias(service string, index int) string { return service + "-" + strconv.Itoa(index) }

// create makes the container.
func (u *unit) create(ctx context.Context) error {
	d, s, c := u.driver, u.spec, u.spec.Container
	name := alias(u.Service, u.Index)
	values := d.values(u)
	it := &template.Iter{Env: &template.Env{Units: values}}
	spec := docker.Spec{
		Name: d.object(name), Image: cmp.Or(c.Image, d.images[u.Service]), Hostname: name, Labels: d.labels(), Grace: s.Grace,
		Restart: s.Restart,
		Memory:  int64(c.Memory), CPUs: c.CPUs, Capabilities: c.Capabilities, User: c.User, Ports: map[int]int{},
		Tmpfs: map[string]string{},
	}
	spec.Labels[containers.ServiceLabel] = u.Service
	var err error
	if spec.Env, err = u.environment(values, it); err != nil {
		return err
	}
	if spec.Command, err = s.Command.Arguments(it); err != nil {
		return err
	}
	if spec.Entrypoint, err = c.Entrypoint.Arguments(it); err != nil {
		return err
	}
	if h := c.Health; h != nil {
		spec.Health = &docker.HealthCheck{
			Command: h.Command, Every: cmp.Or(h.Every.D(), healthEvery), Timeout: cmp.Or(h.Timeout.D(), healthTimeout),
			Retries: cmp.Or(h.Retries, healthRetries),
			Start:   h.Start.D(),
		}
	}
	for _, p := range c.Ports {
		spec.Ports[p] = 0
		if u.port != nil && p == s.Port {
			spec.Ports[p] = u.port.Number()
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
		spec.Mounts = append(spec.Mounts, docker.Mount{From: source, To: c.Mounts[from]})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Volumes)) {
		spec.Volumes = append(spec.Volumes, docker.Mount{From: d.object(name), To: c.Volumes[name].Target})
	}
	for _, text := range c.Tmpfs {
		target, options, err := platform.SplitTmpfs(text)
		if err != nil {
			return err
		}
		spec.Tmpfs[target] = options
	}
	for _, net := range networksOf(s) {
		spec.Networks = append(spec.Networks, containers.Endpoint{
			Network: d.networks[net].id, Aliases: []string{u.Service, name}, Address: u.at[net].String(),
		})
	}
	u.id, err = d.o.Engine.Create(ctx, spec)
	return err
}

// environment returns the environment of a container's process: the variables of brunt, overridden by those of the
// scenario.
func (u *unit) environment(values map[string]string, it *template.Iter) ([]string, error) {
	env := map[string]string{"BRUNT_UNIT": u.Name()}
	if u.spec.Port != 0 {
		env["BRUNT_ADDR"], env["PORT"] = values["self.addr"], values["self.port"]
	}
	return u.spec.Environment(env, u.Index, u.driver.inside, it)
}

func (u *unit) Start(ctx context.Context) error {
	if u.port != nil {
		u.port.Release()
	}
	if err := u.driver.o.Engine.Start(ctx, u.id); err != nil {
		return fmt.Errorf("%s: %w", u.Name(), err)
	}
	return nil
}

// Running implements [platform.Instance]. Nothing else can answer at the container's address.
func (u *unit) Running() error { return nil }

// Check implements [platform.Instance]. A container without a port is ready if its health is good.
func (u *unit) Check(ctx context.Context) error {
	if u.spec.Port != 0 {
		return platform.Check(ctx, u.Addr(), u.spec.Ready)
	}
	c, err := u.driver.o.Engine.Inspect(ctx, u.id)
	if err != nil {
		return err
	}
	return c.Healthy()
}

// mostRestarts is the number of restarts after which a unit is considered unable to become ready.
const mostRestarts = 5

func (u *unit) Failed(ctx context.Context) string {
	c, err := u.driver.o.Engine.Inspect(ctx, u.id)
	switch {
	case err != nil:
		return ""
	case c.Restarts >= mostRestarts:
		return fmt.Sprintf("it keeps ending, after %d starts", c.Restarts+1)
	case c.State == "exited":
		return fmt.Sprintf("it has ended with exit code %d", c.Exit)
	}
	return ""
}

func (u *unit) Output(ctx context.Context) (end string, exit error) {
	return u.driver.o.Engine.Tail(ctx, u.id), nil
}

// Remove implements [platform.Instance]. It stops and removes the container.
func (u *unit) Remove(ctx context.Context) error {
	if u.id == "" {
		return nil
	}
	_ = u.driver.o.Engine.Stop(ctx, u.id, u.spec.Grace) // if it fails, the container is removed by force
	if err := u.driver.o.Engine.Remove(ctx, u.id); err != nil {
		return fmt.Errorf("%s: %w", u.Name(), err)
	}
	return nil
}
