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
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
)

// FleetOptions configure a stack of containers.
type FleetOptions struct {
	Run     string            // name of the run; the label [RunLabel] of everything that is made
	Engine  client.APIClient  // where the containers are made
	Labels  map[string]string // additional labels
	Publish bool              // use ports of this machine, because the containers' addresses are not reachable
	// Self makes an image of brunt itself for services without an image of their own.
	Self func(ctx context.Context) (id string, err error)
	Log  *slog.Logger
	// Event is called for events of a unit: ready.
	Event func(event, unit, text string)
}

// Labels of objects that a run makes in an engine.
const (
	RunLabel     = "brunt.run"     // name of the run
	ServiceLabel = "brunt.service" // of a container
)

// A Fleet is a stack of containers that the engine supervises.
//
// Each container has a fixed address in each of its networks, which stays over restarts. Its host
// names are the name of its service, which all replicas share, and the name of its unit, such as
// posts-0.
type Fleet struct {
	spec  Spec
	o     FleetOptions
	units []*Member

	networks map[string]*fleetNetwork
	images   map[string]string // by service, for services that run brunt itself
}

// fleetNetwork is a network of the run.
type fleetNetwork struct {
	id     string
	subnet netip.Prefix
	next   netip.Addr
}

// commonNetwork is the network of services that name no network.
const commonNetwork = "default"

// NewFleet prepares a stack of containers. It makes nothing in the engine.
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

// networks returns the names of the service's networks.
func (s *Service) networks() []string {
	if len(s.Container.Networks) == 0 {
		return []string{commonNetwork}
	}
	return s.Container.Networks
}

// Addresses returns the values of ${unit.…} in a scenario.
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

// Up makes networks and containers, starts services before those that call them, and returns when
// all are ready. After an error it leaves nothing behind.
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

// fetch makes sure that the engine has every image.
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

// networkTries is the number of attempts to make a network whose subnet another process may take.
const networkTries = 5

// network makes a network of the run with an explicit subnet: only there the engine accepts fixed
// addresses for containers.
//
// The engine knows which subnets are free. Therefore network first makes a network with a subnet of
// the engine's choice, and then replaces it by one with that subnet.
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
		last = err // another process has taken the subnet
	}
	return nil, fmt.Errorf("making the network %s: %w", name, last)
}

// take returns the next free address.
func (n *fleetNetwork) take() netip.Addr {
	n.next = n.next.Next()
	return n.next
}

// labels returns the labels of everything that the fleet makes.
func (f *Fleet) labels() map[string]string {
	out := maps.Clone(f.o.Labels)
	if out == nil {
		out = map[string]string{}
	}
	out[RunLabel] = f.o.Run
	return out
}

// object returns the engine's name for an object of the run.
func (f *Fleet) object(name string) string { return "brunt-" + f.o.Run + "-" + name }

const (
	healthEvery   = time.Second
	healthTimeout = 2 * time.Second
	healthRetries = 3
)

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

// values returns the values of ${self.…}, ${link.…} and ${unit.…} in the settings of m: host names
// of its networks.
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

// Down removes every container and network of the fleet, and the image that was made for it. It can
// be called again.
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

// remove stops a container and removes it.
func (f *Fleet) remove(ctx context.Context, m *Member) error {
	grace := int((m.spec.Grace + time.Second - 1) / time.Second)                    // the engine counts whole seconds
	_ = f.o.Engine.ContainerStop(ctx, m.id, container.StopOptions{Timeout: &grace}) // otherwise it is removed by force
	err := f.o.Engine.ContainerRemove(ctx, m.id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("removing %s: %w", m.Name(), err)
	}
	return nil
}
