// Package compose runs the units of a group as a project of the machine's Compose command, under a
// unique project name, so that it does not affect other Compose projects.
//
//	Read --> Spec: the services of the Compose file
//	New --> Prepare: compose up, then find the containers
//	   --> each unit: await ready
//	   --> Release: compose down, with networks and volumes
//
// The engine supervises the containers.
package compose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"brunt/targets/platform"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
	"brunt/targets/platform/process"
)

// Options configure a Compose project.
type Options struct {
	Run     string         // name of the run, in the project's name
	Engine  *docker.Engine // where Compose creates the containers
	Publish bool           // use ports of this machine, because the containers' addresses are not reachable
	// Event is called for events of a unit: ready.
	Event func(event, unit, text string)
}

// driver implements [platform.Driver].
type driver struct {
	spec    platform.Spec
	o       Options
	name    string
	units   []*platform.Unit
	spawner *process.Spawner
}

// ProjectName returns the name of a run's Compose project.
func ProjectName(run string) string { return "brunt-" + strings.ToLower(run) }

// New prepares a Compose project. It starts nothing.
func New(spec platform.Spec, o Options) *platform.Group {
	if o.Event == nil {
		o.Event = func(string, string, string) {}
	}
	return platform.NewGroup(spec, &driver{spec: spec, o: o, name: ProjectName(o.Run)})
}

func (d *driver) Units() []*platform.Unit { return d.units }

// Prepare implements [platform.Driver]: it starts the project and finds its containers.
func (d *driver) Prepare(ctx context.Context) error {
	up := []string{"up", "--detach"}
	if d.spec.Compose.Build {
		up = append(up, "--build")
	}
	if err := d.run(ctx, up...); err != nil {
		return err
	}
	return d.find(ctx)
}

// oneOff is the label with which Compose marks containers of `compose run`.
const oneOff = "com.docker.compose.oneoff"

// find finds the containers that Compose has created.
func (d *driver) find(ctx context.Context) error {
	list, err := d.o.Engine.List(ctx, containers.Query{Project: d.name})
	if err != nil {
		return fmt.Errorf("finding the containers of the Compose project: %w", err)
	}
	for i := range d.spec.Services {
		s, n := &d.spec.Services[i], 0
		for j := range list {
			c := &list[j]
			if c.Labels[containers.ComposeService] != s.Name || strings.EqualFold(c.Labels[oneOff], "true") {
				continue
			}
			d.units = append(d.units, platform.NewUnit(s, n, newInstance(d, s, c), d.o.Event))
			n++
		}
		if n < s.Replicas {
			return fmt.Errorf("the Compose file has %d replicas of %s, and %d were made", s.Replicas, s.Name, n)
		}
	}
	return nil
}

// Release implements [platform.Driver]. It removes the project with its networks and volumes, and everything that
// Compose leaves behind.
func (d *driver) Release(ctx context.Context) error {
	grace := 0
	for _, s := range d.spec.Services {
		grace = max(grace, int(s.Grace.Seconds()))
	}
	err := d.run(ctx, "down", "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", strconv.Itoa(grace))
	if d.spawner != nil {
		d.spawner.Close()
		d.spawner = nil
	}
	if err != nil {
		err = fmt.Errorf("taking the Compose project down: %w", err)
	}
	return errors.Join(err, d.sweep(ctx))
}

// sweep removes networks that Compose left because they were in use.
func (d *driver) sweep(ctx context.Context) error {
	left, err := d.o.Engine.Labelled(ctx, containers.ComposeProject, d.name)
	errs := []error{err}
	for _, id := range left.Networks {
		errs = append(errs, d.o.Engine.RemoveNetwork(ctx, id))
	}
	return errors.Join(errs...)
}

// An instance is one container of a project. It implements [platform.Instance].
type instance struct {
	driver *driver
	spec   *platform.Service
	name   string
	port   int    // the port on which it listens; 0 means none
	addr   string // host:port at which it can be reached; empty if it does not listen
}

// newInstance finds the address of a container. It is a port that the machine forwards, which survives restarts, or
// otherwise the container's own address if it is reachable from here.
func newInstance(d *driver, s *platform.Service, c *containers.Container) *instance {
	u := &instance{driver: d, spec: s, name: c.Name, port: s.Port}
	if u.port == 0 && len(c.Ports) > 0 {
		u.port = c.Ports[0]
	}
	if at, ok := c.Public[u.port]; ok {
		u.addr = at.String()
	} else if u.port != 0 {
		u.addr = u.direct(c)
	}
	return u
}

// direct returns the container's own host:port; empty if it is not reachable from here.
func (u *instance) direct(c *containers.Container) string {
	for _, n := range c.Networks {
		if n.Address.IsValid() && !u.driver.o.Publish {
			return netip.AddrPortFrom(n.Address, uint16(u.port)).String()
		}
	}
	return ""
}

func (u *instance) Addr() string { return u.addr }

// Ref returns the container's name in the engine, which stays the same when Compose recreates the container.
func (u *instance) Ref() string { return u.name }

// Start does nothing, because Compose has started the container.
func (u *instance) Start(context.Context) error { return nil }

func (u *instance) Running() error { return nil }

// Check checks the container's health, and its port.
func (u *instance) Check(ctx context.Context) error {
	c, err := u.driver.o.Engine.Inspect(ctx, u.name)
	if err != nil {
		return err
	}
	if err := c.Healthy(); err != nil || u.addr == "" {
		return err
	}
	// The machine's port forwarder accepts connections even if the container does not listen yet.
	return platform.Check(ctx, cmp.Or(u.direct(&c), u.addr), u.spec.Ready)
}

// Failed returns nothing, because a container may wait for others by exiting until they are there.
func (u *instance) Failed(context.Context) string { return "" }

func (u *instance) Output(ctx context.Context) (end string, exit error) {
	return u.driver.o.Engine.Tail(ctx, u.name), nil
}

// Remove does nothing, because Release removes all containers of the project.
func (u *instance) Remove(context.Context) error { return nil }
