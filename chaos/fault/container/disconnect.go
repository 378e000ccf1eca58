package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/selector"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/docker"
)

// Disconnect is the fault network.disconnect. Names fail at once then; network.partition is silent.
type Disconnect struct {
	selector.Selector `yaml:",inline"`
	Network           string `yaml:"network"` // by its name or id, without the project's or the run's prefix too; zero is the only one
}

var _ chaos.Fault = (*Disconnect)(nil)

// Check implements [Fault].
func (d *Disconnect) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkContainers(&d.Selector, at, sc, m)
}

// Plan implements [Fault].
func (d *Disconnect) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	units, err := d.Units(ctx, env)
	if err != nil {
		return nil, err
	}
	var steps []chaos.Step
	for _, u := range units {
		s := &disconnect{unit: u, network: d.Network}
		var ok bool
		if s.c, ok = container.Of(u); ok {
			if err := s.find(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", u.Name(), err)
			}
		} else if !env.Dry {
			return nil, fmt.Errorf("%s: %w", u.Name(), container.ErrNoContainer)
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// disconnect is the step that takes one container out of a network, and the held fault.
type disconnect struct {
	unit    chaos.Unit
	network string
	c       *container.Container
	was     docker.Container
	ep      docker.Endpoint
}

// Find finds the container and its settings in the network.
func (d *disconnect) find(ctx context.Context) error {
	var err error
	if d.was, err = d.c.Running(ctx); err != nil {
		return err
	}
	eps, err := d.c.Engine.Endpoints(ctx, d.was.ID)
	if err != nil {
		return err
	}
	var names []string
	var hit []docker.Endpoint
	for _, ep := range eps {
		names = append(names, ep.Name)
		if d.network == "" || ep.Name == d.network || ep.Network == d.network || strings.HasSuffix(ep.Name, "_"+d.network) || strings.HasSuffix(ep.Name, "-"+d.network) {
			hit = append(hit, ep)
		}
	}
	if i := slices.IndexFunc(hit, func(ep docker.Endpoint) bool { return ep.Name == d.network || ep.Network == d.network }); i >= 0 {
		hit = hit[i : i+1]
	}
	switch {
	case len(hit) == 1:
		d.ep = hit[0]
		return nil
	case len(eps) == 0:
		return errors.New("it is in no network")
	case len(hit) == 0:
		return fmt.Errorf("it is not in network %s; it is in %s", d.network, strings.Join(names, ", "))
	}
	return fmt.Errorf("it is in several networks: `network` names one of %s", strings.Join(names, ", "))
}

func (d *disconnect) String() string {
	if d.ep.Name == "" {
		return strings.TrimSuffix("take "+d.unit.Name()+" out of network "+d.network, " ")
	}
	return fmt.Sprintf("take %s out of network %s", d.unit.Name(), d.ep.Name)
}

func (d *disconnect) Units() []string { return []string{d.unit.Name()} }
func (d *disconnect) Via() string     { return "engine" }

func (d *disconnect) id() container.ContainerIdentity {
	return container.ContainerIdentity{Container: d.was.ID, Network: d.ep.Network}
}

// Undo implements [Step].
func (d *disconnect) Undo() []chaos.Undo {
	u := chaos.Undo{Op: opConnect, Prior: container.RawOf("connected")}
	if d.c != nil {
		u.Args, u.Identity = container.RawOf(container.EngineArgs{Engine: d.c.Engine.Address(), Settle: chaos.RetryEvery, Endpoint: &d.ep}), container.RawOf(d.id())
	}
	return []chaos.Undo{u}
}

// Inject implements [Step].
func (d *disconnect) Inject(ctx context.Context) (chaos.Held, error) {
	if err := d.c.Still(ctx, d.was); err != nil {
		return nil, err
	}
	return d, d.c.Engine.Disconnect(context.WithoutCancel(ctx), d.was.ID, d.ep.Network)
}

// Verify implements [Held]: the container's own view of its network lacks the address.
func (d *disconnect) Verify(ctx context.Context) (string, error) {
	in, err := d.in(ctx)
	switch {
	case err != nil:
		return "", err
	case in:
		return "", fmt.Errorf("%s is in network %s still", d.unit.Name(), d.ep.Name)
	}
	if has, known := ownsAddress(d.was.PID, d.ep.Address); known && d.c.Engine.Address().Local() && container.IsOf(d.was.PID, d.was.ID) {
		if has {
			return "", fmt.Errorf("%s has the address %s still", d.unit.Name(), d.ep.Address)
		}
		return fmt.Sprintf("container %s has no %s any more", d.was.Name, d.ep.Address), nil
	}
	return fmt.Sprintf("container %s is not in network %s any more", d.was.Name, d.ep.Name), nil
}

// ownsAddress tells whether the network namespace of a process has an IPv4 address.
func ownsAddress(pid int, address string) (has, known bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/fib_trie", pid))
	if err != nil || address == "" {
		return false, false
	}
	for line := range strings.Lines(string(b)) {
		if strings.TrimSpace(line) == "|-- "+address {
			return true, true
		}
	}
	return false, true
}

// in tells whether the container is in the network.
func (d *disconnect) in(ctx context.Context) (bool, error) {
	eps, err := d.c.Engine.Endpoints(ctx, d.was.ID)
	return slices.ContainsFunc(eps, func(ep docker.Endpoint) bool { return ep.Network == d.ep.Network }), err
}

// Traits implements [chaos.Held].
func (*disconnect) Traits() chaos.HeldTraits { return chaos.HeldTraits{} }

// Revert implements [Held].
func (d *disconnect) Revert(ctx context.Context) (chaos.Outcome, error) {
	return connectContainer(ctx, d.c.Engine, d.id(), d.ep, 0)
}

// Gone implements [Held]: the container is back in the network, and ready.
func (d *disconnect) Gone(ctx context.Context) (string, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		in, err := d.in(ctx)
		switch {
		case container.IsGone(err):
			return fmt.Sprintf("container %s is no more", d.was.Name), nil
		case err == nil && !in:
			if has, nerr := d.c.Engine.HasNetwork(ctx, d.ep.Network); nerr == nil && !has {
				return fmt.Sprintf("network %s is no more", d.ep.Name), nil
			}
			err = fmt.Errorf("it is not back in network %s", d.ep.Name)
		case err == nil:
			if err = chaos.ReadySoon(ctx, d.unit); err == nil {
				return fmt.Sprintf("container %s is back in network %s and ready", d.was.Name, d.ep.Name), nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%s is not back: %w", d.unit.Name(), err)
		case <-tick.C:
		}
	}
}

// connectContainer puts a container back into a network from which brunt took it. It changes nothing if either is
// gone. Settle is how long an order of a dead brunt may still take to take effect.
func connectContainer(ctx context.Context, e *docker.Engine, id container.ContainerIdentity, ep docker.Endpoint, settle time.Duration) (chaos.Outcome, error) {
	for until := time.Now().Add(settle); ; {
		eps, err := e.Endpoints(ctx, id.Container)
		switch {
		case container.IsGone(err):
			return chaos.Gone, nil
		case err != nil:
			return chaos.Failed, err
		}
		if !slices.ContainsFunc(eps, func(has docker.Endpoint) bool { return has.Network == id.Network }) {
			there, err := e.HasNetwork(ctx, id.Network)
			if err != nil {
				return chaos.Failed, err
			}
			if !there {
				return chaos.Gone, nil
			}
			if err := e.Connect(ctx, id.Container, ep); err != nil {
				return chaos.Failed, err
			}
		}
		if !time.Now().Before(until) {
			return chaos.Reverted, nil
		}
		select {
		case <-ctx.Done():
			return chaos.Failed, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Describe implements [chaos.Described].
func (*Disconnect) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "network.disconnect", New: func() chaos.Fault { return new(Disconnect) }, Undo: operations(),
		Doc: "Takes a container out of a network, and puts it back with the address, aliases, links and options that it had there.",
	}
}
