package container

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// Disconnect is the fault network.disconnect. Names then fail at once, while network.partition drops packets silently.
type Disconnect struct {
	selector.Selector `yaml:",inline"`
	// the network, by its name or id, also without the prefix of the project or the run; zero is the only one
	Network string `yaml:"network"`
}

var _ chaos.Fault = (*Disconnect)(nil)

func (d *Disconnect) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkContainers(&d.Selector, at, sc, m)
}

func (d *Disconnect) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return d.Steps(ctx, env, func(t container.Target) (chaos.Step, error) {
		h, err := container.FindHit(ctx, env, t)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name(), err)
		}
		s := &disconnect{Hit: h, network: d.Network}
		if t.Container != nil {
			if err := s.findNetwork(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", t.Name(), err)
			}
		}
		return s, nil
	})
}

type disconnect struct {
	container.Hit
	network string
	ep      containers.Endpoint
	settle  time.Duration // of its revert: the engine may carry the order out later
}

// settleFor is how long an order that had no answer in time may still take effect: an engine that works on it is done
// within seconds.
const settleFor = 5 * time.Second

// findNetwork finds the network, and the container's settings in it.
func (d *disconnect) findNetwork(ctx context.Context) error {
	eps, err := d.Engine().Endpoints(ctx, d.Was.ID)
	if err != nil {
		return err
	}
	var names []string
	var hit []containers.Endpoint
	for _, ep := range eps {
		names = append(names, ep.Name)
		prefixed := strings.HasSuffix(ep.Name, "_"+d.network) || strings.HasSuffix(ep.Name, "-"+d.network)
		if d.network == "" || ep.Name == d.network || ep.Network == d.network || prefixed {
			hit = append(hit, ep)
		}
	}
	if i := slices.IndexFunc(hit, func(ep containers.Endpoint) bool {
		return ep.Name == d.network ||
			ep.Network == d.network
	}); i >= 0 {
		hit = hit[i : i+1]
	}
	switch {
	case len(hit) == 1:
		d.ep = hit[0]
		d.ep.Device = deviceOf(d.LocalPID(), d.ep.Address)
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
		return strings.TrimSuffix("take "+d.Name()+" out of network "+d.network, " ")
	}
	return fmt.Sprintf("take %s out of network %s", d.Name(), d.ep.Name)
}

func (d *disconnect) Via() string { return "engine" }

// place identifies the container within the network. A container may leave and join a network while it runs.
func (d *disconnect) place() container.Identity {
	return container.Identity{Container: d.Was.ID, Network: d.ep.Network}
}

func (d *disconnect) Undo() []chaos.Undo {
	return d.UndoBy(opConnect, "connected", d.place(), container.EngineArgs{Settle: chaos.RetryEvery, Endpoint: &d.ep})
}

func (d *disconnect) Inject(ctx context.Context) (chaos.Held, error) {
	if err := d.Container.Still(ctx, d.Was); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), container.InspectFor)
	defer cancel()
	err := d.Engine().Disconnect(ctx, d.Was.ID, d.ep.Network)
	if err != nil {
		d.settle = settleFor
	}
	return d, err
}

// Verify implements [chaos.Held]: the container's own network namespace no longer has the address.
func (d *disconnect) Verify(ctx context.Context) (string, error) {
	in, err := d.in(ctx)
	switch {
	case err != nil:
		return "", err
	case in:
		return "", fmt.Errorf("%s is in network %s still", d.Name(), d.ep.Name)
	}
	if has, known := ownsAddress(d.LocalPID(), d.ep.Address); known {
		if has {
			return "", fmt.Errorf("%s has the address %s still", d.Name(), d.ep.Address)
		}
		return fmt.Sprintf("container %s has no %s any more", d.Was.Name, d.ep.Address), nil
	}
	return fmt.Sprintf("container %s is not in network %s any more", d.Was.Name, d.ep.Name), nil
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

// deviceOf returns the name of the device by which a process reaches the network of one of its IPv4 addresses; empty:
// not known.
func deviceOf(pid int, address string) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/route", pid))
	addr, aerr := netip.ParseAddr(address)
	if err != nil || aerr != nil || !addr.Is4() {
		return ""
	}
	at := addr.As4()
	for line := range strings.Lines(string(b)) { // a device, a network, a gateway, …; the 8th field is the mask
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		to, err := strconv.ParseUint(f[1], 16, 32)
		mask, merr := strconv.ParseUint(f[7], 16, 32)
		// The kernel prints the four bytes as one number of this machine.
		if own := uint64(binary.NativeEndian.Uint32(at[:])); err == nil && merr == nil && mask != 0 && own&mask == to {
			return f[0]
		}
	}
	return ""
}

// in tells whether the container is in the network.
func (d *disconnect) in(ctx context.Context) (bool, error) {
	eps, err := d.Engine().Endpoints(ctx, d.Was.ID)
	return slices.ContainsFunc(eps, func(ep containers.Endpoint) bool { return ep.Network == d.ep.Network }), err
}

func (d *disconnect) Traits() chaos.HeldTraits { return chaos.HeldTraits{Ended: d.connected} }

// connected returns an error if something else has put the container back into the network.
func (d *disconnect) connected(ctx context.Context) error {
	if in, err := d.in(ctx); err == nil && in {
		return d.EndedBy(ctx, "connect", "was put back into network "+d.ep.Name)
	}
	return nil // a failed reading proves nothing
}

func (d *disconnect) Revert(ctx context.Context) (chaos.Outcome, error) {
	return connectContainer(ctx, d.Engine(), d.place(), d.ep, d.settle)
}

// Gone implements [chaos.Held]: the container is back in the network, and ready.
func (d *disconnect) Gone(ctx context.Context) (string, error) {
	return container.AwaitBack(ctx, d.Target, func() (string, error) {
		in, err := d.in(ctx)
		switch {
		case container.IsGone(err):
			return fmt.Sprintf("container %s is no more", d.Was.Name), nil
		case err != nil:
			return "", err
		case !in:
			if has, nerr := d.Engine().HasNetwork(ctx, d.ep.Network); nerr == nil && !has {
				return fmt.Sprintf("network %s is no more", d.ep.Name), nil
			}
			return "", fmt.Errorf("it is not in network %s again", d.ep.Name)
		}
		said := fmt.Sprintf("container %s is back in network %s and ready", d.Was.Name, d.ep.Name)
		if now := deviceOf(d.LocalPID(), d.ep.Address); now != "" && d.ep.Device != "" && now != d.ep.Device {
			said += fmt.Sprintf("; its device there is %s now, and was %s: before Docker 28 no device gets its name back", now,
				d.ep.Device)
		}
		return said, chaos.ReadySoon(ctx, d.Target)
	})
}

// connectContainer puts a container back into a network from which brunt took it. It changes nothing if either no
// longer exists. Settle is the time within which an order without an answer may still take effect.
func connectContainer(
	ctx context.Context, e *docker.Engine, id container.Identity, ep containers.Endpoint, settle time.Duration,
) (chaos.Outcome, error) {
	return container.PutBack(ctx, settle, func() (chaos.Outcome, bool, error) {
		eps, err := e.Endpoints(ctx, id.Container)
		if err != nil {
			return chaos.Failed, false, err
		}
		if slices.ContainsFunc(eps, func(has containers.Endpoint) bool { return has.Network == id.Network }) {
			return chaos.Reverted, false, nil
		}
		there, err := e.HasNetwork(ctx, id.Network)
		switch {
		case err != nil:
			return chaos.Failed, false, err
		case !there:
			return chaos.Gone, true, nil
		}
		return chaos.Reverted, false, e.Connect(ctx, id.Container, ep)
	})
}

func (*Disconnect) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "network.disconnect", New: func() chaos.Fault { return new(Disconnect) }, Undo: operations(),
		Example: "{container: web}",
		Effect:  chaos.Cut,
		Nature: scenarios.Nature{
			Verb:  "cut off from a network",
			Deeds: []scenarios.Deed{scenarios.Severs, scenarios.Silent, scenarios.Mute},
		},
		On: chaos.OnContainers,
		Doc: "Takes a container out of a network, and puts it back with the address, MAC address, aliases, links and " +
			"options that it had there, and from Docker 28 with the name of its device.",
	}
}
