package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/network"
)

// An Endpoint is how a container stands in a network, as far as it was asked for when it
// was put there: what is needed to put it back.
type Endpoint struct {
	Network    string            `json:"network"` // its id
	Name       string            `json:"name"`    // of the network
	Address    string            `json:"address,omitempty"`
	Address6   string            `json:"address6,omitempty"`
	Fixed      bool              `json:"fixed,omitempty"` // its addresses were asked for, and were not the engine's choice
	Mac        string            `json:"mac,omitempty"`
	Aliases    []string          `json:"aliases,omitempty"`
	Links      []string          `json:"links,omitempty"`
	DriverOpts map[string]string `json:"driver_opts,omitempty"`
}

// Endpoints describes how a container stands in its networks.
func (e *Engine) Endpoints(ctx context.Context, id string) ([]Endpoint, error) {
	if err := e.Ping(ctx); err != nil {
		return nil, err
	}
	i, err := e.api.ContainerInspect(ctx, id)
	if err != nil {
		return nil, told("inspecting", id, err)
	}
	var out []Endpoint
	for name, n := range i.NetworkSettings.Networks {
		ep := Endpoint{
			Network: n.NetworkID, Name: name, Address: n.IPAddress, Address6: n.GlobalIPv6Address,
			Mac: n.MacAddress, Links: n.Links, DriverOpts: n.DriverOpts,
		}
		ep.Fixed = n.IPAMConfig != nil && (n.IPAMConfig.IPv4Address != "" || n.IPAMConfig.IPv6Address != "")
		for _, a := range n.Aliases {
			if a != short(i.ID) { // which the engine adds itself
				ep.Aliases = append(ep.Aliases, a)
			}
		}
		out = append(out, ep)
	}
	slices.SortFunc(out, func(a, b Endpoint) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Disconnect takes a container out of a network. One that is not in it is left as it is.
func (e *Engine) Disconnect(ctx context.Context, id, networkID string) error {
	err := e.api.NetworkDisconnect(ctx, networkID, id, false)
	if err != nil && strings.Contains(err.Error(), "is not connected to") {
		return nil
	}
	return told("taking out of its network", id, err)
}

// Connect puts a container back into a network as it stood there. One that is in it
// already is left as it is. The engine lets an address be asked for only in networks
// whose subnet was chosen; elsewhere it gives its own choice.
func (e *Engine) Connect(ctx context.Context, id string, ep Endpoint) error {
	settings := &network.EndpointSettings{Aliases: ep.Aliases, Links: ep.Links, DriverOpts: ep.DriverOpts}
	asked := *settings
	if ep.Address != "" || ep.Address6 != "" {
		asked.IPAMConfig = &network.EndpointIPAMConfig{IPv4Address: ep.Address, IPv6Address: ep.Address6}
	}
	if !ep.Fixed {
		// Without an address asked for the engine gives the lowest that is free, which as a
		// rule is the one that the container had.
		err := e.connect(ctx, id, ep.Network, settings)
		if err == nil {
			err = e.reseat(ctx, id, ep, &asked)
		}
		return err
	}
	return e.connect(ctx, id, ep.Network, &asked)
}

func (e *Engine) connect(ctx context.Context, id, networkID string, s *network.EndpointSettings) error {
	err := e.api.NetworkConnect(ctx, networkID, id, s)
	if err != nil && strings.Contains(err.Error(), "already exists in network") {
		return nil
	}
	return told("putting back into its network", id, err)
}

// reseat asks for the address that a container had, where the engine gave it another.
func (e *Engine) reseat(ctx context.Context, id string, ep Endpoint, asked *network.EndpointSettings) error {
	now, err := e.Endpoints(ctx, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(now, func(n Endpoint) bool { return n.Network == ep.Network })
	if i < 0 || now[i].Address == ep.Address || asked.IPAMConfig == nil {
		return nil
	}
	if err := e.Disconnect(ctx, id, ep.Network); err != nil {
		return err
	}
	if err := e.connect(ctx, id, ep.Network, asked); err == nil {
		return nil
	}
	// The network takes no wishes.
	asked.IPAMConfig = nil
	return e.connect(ctx, id, ep.Network, asked)
}

// HasNetwork tells whether there is a network of that id.
func (e *Engine) HasNetwork(ctx context.Context, id string) (bool, error) {
	if err := e.Ping(ctx); err != nil {
		return false, err
	}
	n, err := e.api.NetworkInspect(ctx, id, network.InspectOptions{})
	if gone(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("inspecting network %s: %w", short(id), err)
	}
	return n.ID == id, nil
}

// RemoveNetwork removes a network. One that is not there any more is no error.
func (e *Engine) RemoveNetwork(ctx context.Context, id string) error {
	if err := e.api.NetworkRemove(ctx, id); err != nil && !gone(err) {
		return fmt.Errorf("removing network %s: %w", short(id), err)
	}
	return nil
}
