package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"brunt/targets/platform/containers"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"
)

// Endpoints describes a container's configuration in its networks.
func (e *Engine) Endpoints(ctx context.Context, id string) ([]containers.Endpoint, error) {
	if err := e.Ping(ctx); err != nil {
		return nil, err
	}
	i, err := e.inspect(ctx, id)
	if err != nil {
		return nil, failed("inspecting", id, err)
	}
	var out []containers.Endpoint
	for name, n := range i.NetworkSettings.Networks {
		ep := containers.Endpoint{
			Network: n.NetworkID, Name: name, Address: addressText(n.IPAddress), Address6: addressText(n.GlobalIPv6Address),
			Mac: n.MacAddress.String(), OwnMac: n.MacAddress.String() != madeOf(n.IPAddress), Links: n.Links,
			DriverOpts: n.DriverOpts, Priority: n.GwPriority,
		}
		if asked := n.IPAMConfig; asked != nil && (asked.IPv4Address.IsValid() || asked.IPv6Address.IsValid()) {
			ep.Fixed, ep.Asked = true, &containers.Asked{
				Address: addressText(asked.IPv4Address), Address6: addressText(asked.IPv6Address),
			}
			for _, local := range asked.LinkLocalIPs {
				ep.Asked.LinkLocal = append(ep.Asked.LinkLocal, local.String())
			}
		}
		for _, a := range n.Aliases {
			if a != short(i.ID) { // the engine itself added the short id
				ep.Aliases = append(ep.Aliases, a)
			}
		}
		out = append(out, ep)
	}
	slices.SortFunc(out, func(a, b containers.Endpoint) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// addressText returns an address as text, and "" for none.
func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// addressOf returns the address of a text that [addressText] or the engine wrote.
func addressOf(text string) netip.Addr {
	a, _ := netip.ParseAddr(text)
	return a
}

// Missing returns a container's configuration in the network that it was created for, if that network exists and the
// container is not in it, and nil otherwise. The container's own configuration tells only a part of it.
func (e *Engine) Missing(ctx context.Context, id string) (*containers.Endpoint, error) {
	i, err := e.inspect(ctx, id)
	switch {
	case gone(err):
		return nil, nil
	case err != nil:
		return nil, failed("inspecting", id, err)
	}
	mode := string(i.HostConfig.NetworkMode)
	if mode == "default" {
		mode = "bridge"
	}
	for name, n := range i.NetworkSettings.Networks {
		if name == mode || n.NetworkID == mode || strings.HasPrefix(n.NetworkID, mode) && len(mode) >= 12 {
			return nil, nil
		}
	}
	is, err := e.api.NetworkInspect(ctx, mode, client.NetworkInspectOptions{})
	n := is.Network
	switch {
	case gone(err), err == nil && (n.Name == "none" || n.Name == "host"):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("inspecting network %s: %w", short(mode), err)
	}
	ep := &containers.Endpoint{Network: n.ID, Name: n.Name}
	if service := i.Config.Labels[containers.ComposeService]; service != "" {
		ep.Aliases = []string{strings.TrimPrefix(i.Name, "/"), service}
	}
	return ep, nil
}

// Disconnect disconnects a container from a network. It has no effect if the container is not
// connected.
func (e *Engine) Disconnect(ctx context.Context, id, networkID string) error {
	_, err := e.api.NetworkDisconnect(ctx, networkID, client.NetworkDisconnectOptions{Container: id})
	if err != nil && strings.Contains(err.Error(), "is not connected to") {
		return nil
	}
	return failed("taking out of its network", id, err)
}

// Connect connects a container to a network with its previous configuration. It has no effect if the container is
// connected. The engine accepts a requested address only in networks with a configured subnet; in others it chooses
// one.
func (e *Engine) Connect(ctx context.Context, id string, ep containers.Endpoint) error {
	if err := e.Ping(ctx); err != nil { // which tells the version
		return err
	}
	settings := &network.EndpointSettings{
		Aliases: ep.Aliases, Links: ep.Links, DriverOpts: e.named(ep), GwPriority: ep.Priority,
	}
	if ep.OwnMac && versions.GreaterThanOrEqualTo(e.api.ClientVersion(), macsFrom) {
		mac, _ := net.ParseMAC(ep.Mac) // the engine wrote it
		settings.MacAddress = network.HardwareAddr(mac)
	}
	asked := *settings
	if ep.Address != "" || ep.Address6 != "" {
		asked.IPAMConfig = &network.EndpointIPAMConfig{
			IPv4Address: addressOf(ep.Address), IPv6Address: addressOf(ep.Address6),
		}
	}
	if ep.Asked != nil { // the other address may be in a subnet that accepts no requests
		settings.IPAMConfig = &network.EndpointIPAMConfig{
			IPv4Address: addressOf(ep.Asked.Address), IPv6Address: addressOf(ep.Asked.Address6),
		}
		for _, local := range ep.Asked.LinkLocal {
			settings.IPAMConfig.LinkLocalIPs = append(settings.IPAMConfig.LinkLocalIPs, addressOf(local))
		}
		asked.IPAMConfig.LinkLocalIPs = settings.IPAMConfig.LinkLocalIPs
	}
	if !ep.Fixed || ep.Asked != nil {
		// Without a request the engine assigns the lowest free address, which is usually the previous one.
		err := e.connect(ctx, id, ep.Network, settings)
		if err == nil {
			err = e.reseat(ctx, id, ep, &asked, settings)
		}
		return err
	}
	return e.connect(ctx, id, ep.Network, &asked)
}

func (e *Engine) connect(ctx context.Context, id, networkID string, s *network.EndpointSettings) error {
	_, err := e.api.NetworkConnect(ctx, networkID, client.NetworkConnectOptions{Container: id, EndpointConfig: s})
	if err != nil && strings.Contains(err.Error(), "already exists in network") {
		return nil
	}
	return failed("putting back into its network", id, err)
}

// deviceOption is the option of an endpoint that names its device in the container, and devicesFrom the first version
// of the engine's API that knows it. Before, the engine counts the names up: eth1 follows eth0 even if eth0 is gone.
// brunt does not rename the device itself: such an engine looks for its own name when the container leaves the network
// again. With 20.10 the device then stays in the container, and the container can't join the network any more.
const (
	deviceOption = "com.docker.network.endpoint.ifname"
	devicesFrom  = "1.48"
)

// named returns the options of an endpoint, with the name of its device if the engine can give it one.
func (e *Engine) named(ep containers.Endpoint) map[string]string {
	can := versions.GreaterThanOrEqualTo(e.api.ClientVersion(), devicesFrom)
	if !can || ep.Device == "" || ep.DriverOpts[deviceOption] != "" {
		return ep.DriverOpts
	}
	out := map[string]string{deviceOption: ep.Device}
	maps.Copy(out, ep.DriverOpts)
	return out
}

// macsFrom is the first version of the engine's API in which a container has a separate MAC address in each network.
// Before, it has one for all networks, which never changes.
const macsFrom = "1.44"

// madeOf returns the MAC address that the engine derives from an IPv4 address.
func madeOf(a netip.Addr) string {
	if !a.Is4() {
		return ""
	}
	b := a.As4()
	return net.HardwareAddr{2, 0x42, b[0], b[1], b[2], b[3]}.String()
}

// reseat requests the previous addresses of a container if the engine assigned others. Otherwise is the configuration
// for a network that accepts no requests.
func (e *Engine) reseat(
	ctx context.Context, id string, ep containers.Endpoint, asked, otherwise *network.EndpointSettings,
) error {
	now, err := e.Endpoints(ctx, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(now, func(n containers.Endpoint) bool { return n.Network == ep.Network })
	if i < 0 || now[i].Address == ep.Address && now[i].Address6 == ep.Address6 || asked.IPAMConfig == nil {
		return nil
	}
	if err := e.Disconnect(ctx, id, ep.Network); err != nil {
		return err
	}
	if err := e.connect(ctx, id, ep.Network, asked); err == nil {
		return nil
	}
	return e.connect(ctx, id, ep.Network, otherwise)
}

// HasNetwork reports whether a network with the id exists.
func (e *Engine) HasNetwork(ctx context.Context, id string) (bool, error) {
	if err := e.Ping(ctx); err != nil {
		return false, err
	}
	is, err := e.api.NetworkInspect(ctx, id, client.NetworkInspectOptions{})
	if gone(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("inspecting network %s: %w", short(id), err)
	}
	return is.Network.ID == id, nil
}

// RemoveNetwork removes a network. A missing network is not an error.
//
// The engine refuses to remove a network with endpoints, and sometimes keeps the endpoint of a container that it has
// removed. RemoveNetwork disconnects such endpoints by force, and then removes the network. A container that exists
// stays in its network, which is an error. An error that is an [ErrMiscounted] is the engine's.
func (e *Engine) RemoveNetwork(ctx context.Context, id string) error {
	_, err := e.api.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
	none := false
	for tries := 0; hasEndpoints(err) && tries < deadTries; tries++ {
		found, derr := e.endpoints(ctx, id)
		none = derr == nil && found.none()
		if derr != nil || len(found.dead) == 0 && !found.leaving && !none {
			break
		}
		for _, name := range found.dead {
			// An error, such as for an endpoint that is gone meanwhile, shows when the network is removed.
			_, _ = e.api.NetworkDisconnect(ctx, id, client.NetworkDisconnectOptions{Container: name, Force: true})
		}
		if found.leaving || none {
			select {
			case <-time.After(deadEvery):
			case <-ctx.Done():
			}
		}
		_, err = e.api.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
	}
	if none && hasEndpoints(err) {
		err = fmt.Errorf("%w: %w", err, ErrMiscounted)
	}
	if err != nil && !gone(err) {
		return fmt.Errorf("removing network %s: %w", short(id), err)
	}
	return nil
}

// ErrMiscounted reports that the engine counts endpoints which a network does not have, and therefore refuses to remove
// it. Docker 20.10 comes to such a count, rarely, where containers of a network start and end at the same time, and
// corrects it when it starts.
var ErrMiscounted = errors.New("it has none: to mend the engine's count, restart the engine, then remove the network")

// hasEndpoints reports whether an error is the engine's refusal to remove a network with endpoints.
func hasEndpoints(err error) bool {
	return err != nil && strings.Contains(err.Error(), "active endpoints")
}

const (
	deadTries = 20                     // how often the dead endpoints of a network are looked for
	deadEvery = 100 * time.Millisecond // between two tries while the engine removes a container
)

// endpoints are those of a network that the engine names.
type endpoints struct {
	dead    []string // those whose containers do not exist, by the names that the engine accepts for them
	live    int      // those of containers that exist
	leaving bool     // the engine is just removing a container of another endpoint
}

func (f endpoints) none() bool { return len(f.dead) == 0 && f.live == 0 && !f.leaving }

func (e *Engine) endpoints(ctx context.Context, id string) (out endpoints, err error) {
	is, err := e.api.NetworkInspect(ctx, id, client.NetworkInspectOptions{})
	if err != nil {
		return out, err
	}
	for of, ep := range is.Network.Containers {
		if !strings.HasPrefix(of, "ep-") { // otherwise the endpoint has no container
			i, err := e.inspect(ctx, of)
			switch {
			case err == nil && i.State != nil && i.State.Status == container.StateRemoving:
				out.leaving = true
				continue
			case !gone(err):
				out.live++
				continue
			}
		}
		out.dead = append(out.dead, cmp.Or(ep.Name, of))
	}
	slices.Sort(out.dead)
	return out, nil
}
