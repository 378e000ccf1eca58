// Package container runs the units of a group as containers that brunt creates in a Docker engine. The engine
// supervises them.
//
//	New --> Prepare: images, networks with their subnets, volumes, containers with fixed addresses
//	   --> each unit: start, await ready
//	   --> Release: networks, volumes, and the image of brunt itself
//
// Each container has a fixed address in each of its networks, which survives restarts. Its host names are the name of
// its service, which all replicas share, and the name of its unit, such as posts-0.
package container

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"brunt/scenarios/syntax"

	"brunt/targets/platform"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// Options configure a group of containers.
type Options struct {
	Run     string            // name of the run; value of the label [containers.RunLabel] on all objects
	Engine  *docker.Engine    // where the containers are created
	Labels  map[string]string // additional labels
	Publish bool              // use ports of this machine, because the containers' addresses are not reachable
	// Self creates an image of brunt itself, for services without an image of their own.
	Self func(ctx context.Context) (id string, err error)
	// Event is called for events of a unit: ready.
	Event func(event, unit, text string)
}

// driver implements [platform.Driver].
type driver struct {
	spec  platform.Spec
	o     Options
	units []*unit

	networks map[string]*subnet
	volumes  []string          // names of the volumes that were created
	images   map[string]string // by service, for services that run brunt itself
}

// A subnet is a network of the run.
type subnet struct {
	id   string
	next netip.Addr // the last address that was assigned
}

// take returns the next free address.
func (n *subnet) take() netip.Addr {
	n.next = n.next.Next()
	return n.next
}

// commonNetwork is the network of services that name no network.
const commonNetwork = "default"

// New prepares a group of containers. It creates nothing in the engine.
func New(spec platform.Spec, o Options) (*platform.Group, error) {
	if o.Run == "" {
		o.Run = rand.Text()
	}
	if o.Event == nil {
		o.Event = func(string, string, string) {}
	}
	d := &driver{spec: spec, o: o, networks: map[string]*subnet{}, images: map[string]string{}}
	for i := range spec.Services {
		svc := &spec.Services[i]
		for j := range svc.Replicas {
			u := newUnit(d, svc, j)
			if o.Publish && svc.Port != 0 {
				var err error
				if u.port, err = platform.ReservePort(0, 0); err != nil {
					d.free()
					return nil, fmt.Errorf("a port for %s: %w", u.Name(), err)
				}
			}
			d.units = append(d.units, u)
		}
	}
	return platform.NewGroup(spec, d), nil
}

func (d *driver) free() {
	for _, u := range d.units {
		if u.port != nil {
			u.port.Free()
		}
	}
}

func (d *driver) Units() []*platform.Unit {
	var out []*platform.Unit
	for _, u := range d.units {
		out = append(out, u.Unit)
	}
	return out
}

// networksOf returns the names of the service's networks.
func networksOf(s *platform.Service) []string {
	if len(s.Container.Networks) == 0 {
		return []string{commonNetwork}
	}
	return s.Container.Networks
}

// Prepare implements [platform.Driver]. It creates networks and containers.
func (d *driver) Prepare(ctx context.Context) error {
	if err := d.fetch(ctx); err != nil {
		return err
	}
	for i := range d.spec.Services {
		for _, name := range networksOf(&d.spec.Services[i]) {
			if d.networks[name] != nil {
				continue
			}
			id, prefix, err := d.o.Engine.CreateNetwork(ctx, d.object(name), d.labels())
			if err != nil {
				return fmt.Errorf("making the network %s: %w", name, err)
			}
			d.networks[name] = &subnet{id: id, next: prefix.Addr().Next()} // the gateway's
		}
	}
	for i := range d.spec.Services {
		for name, v := range d.spec.Services[i].Container.Volumes {
			if slices.Contains(d.volumes, name) {
				continue
			}
			if err := docker.CreateVolume(ctx, d.o.Engine, d.object(name), d.labels(), int64(v.Size)); err != nil {
				return fmt.Errorf("making the volume %s: %w", name, err)
			}
			d.volumes = append(d.volumes, name)
		}
	}
	for _, u := range d.units {
		for _, name := range networksOf(u.spec) {
			u.at[name] = d.networks[name].take()
		}
	}
	for _, u := range d.units {
		if err := u.create(ctx); err != nil {
			return fmt.Errorf("making %s: %w", u.Name(), err)
		}
	}
	return nil
}

// fetch makes sure that the engine has every image.
func (d *driver) fetch(ctx context.Context) error {
	self := ""
	for i := range d.spec.Services {
		s := &d.spec.Services[i]
		if s.Container.Image != "" {
			if err := d.o.Engine.Fetch(ctx, s.Container.Image); err != nil {
				return err
			}
			continue
		}
		if self == "" {
			var err error
			if self, err = d.o.Self(ctx); err != nil {
				return err
			}
		}
		d.images[s.Name] = self
	}
	return nil
}

// labels returns the labels of all objects that the group creates.
func (d *driver) labels() map[string]string {
	out := maps.Clone(d.o.Labels)
	if out == nil {
		out = map[string]string{}
	}
	out[containers.RunLabel] = d.o.Run
	return out
}

// object returns the engine's name for an object of the run.
func (d *driver) object(name string) string { return "brunt-" + d.o.Run + "-" + name }

// inside lists the addresses at which containers reach the replicas of a service.
func (d *driver) inside(service string) []string {
	var out []string
	s := d.spec.Service(service)
	for i := range s.Replicas {
		addr := alias(service, i)
		if s.Port != 0 {
			addr += ":" + strconv.Itoa(s.Port)
		}
		out = append(out, addr)
	}
	return out
}

// values returns the values of ${self.…}, ${link.…} and ${unit.…} in the settings of u. They use host names of its
// networks.
func (d *driver) values(u *unit) map[string]string {
	out := map[string]string{}
	for i := range d.spec.Services {
		s := &d.spec.Services[i]
		for j, addr := range d.inside(s.Name) {
			for _, kind := range []string{"unit.", "link."} {
				if kind == "link." && !slices.Contains(u.spec.Links, s.Name) {
					continue
				}
				platform.SetAddress(out, kind+syntax.UnitName(s.Name, j), addr)
				if j == 0 {
					platform.SetAddress(out, kind+s.Name, addr)
				}
			}
		}
	}
	if u.spec.Port != 0 {
		platform.SetAddress(out, "self", fmt.Sprintf("0.0.0.0:%d", u.spec.Port))
	}
	out["self.index"], out["self.name"] = strconv.Itoa(u.Index), u.Name()
	return out
}

// Release implements [platform.Driver]. It removes the networks and volumes, and the image that was created for the
// group.
func (d *driver) Release(ctx context.Context) error {
	d.free()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(d.networks)) {
		if err := d.o.Engine.RemoveNetwork(ctx, d.networks[name].id); err != nil {
			errs = append(errs, fmt.Errorf("network %s: %w", name, err))
		}
	}
	for _, name := range d.volumes {
		if err := docker.RemoveVolume(ctx, d.o.Engine, d.object(name)); err != nil {
			errs = append(errs, fmt.Errorf("volume %s: %w", name, err))
		}
	}
	for _, id := range slices.Compact(slices.Sorted(maps.Values(d.images))) {
		if err := d.o.Engine.RemoveImage(ctx, id); err != nil {
			errs = append(errs, fmt.Errorf("the image of brunt itself: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Defaults of the engine's health check.
const (
	healthEvery   = time.Second
	healthTimeout = 2 * time.Second
	healthRetries = 3
)
