//go:build !linux

package netns

import (
	"context"
	"net/netip"
)

// Probe sends traffic from the namespace and returns the result.
func (n *Namespace) Probe(context.Context, Probe) (ProbeResult, error) {
	return ProbeResult{}, errLinux
}

// Line opens a connection from the namespace and holds it open.
func (n *Namespace) Line(context.Context, netip.AddrPort) (Line, error) { return nil, errLinux }

// Gateway returns the gateway of the default route.
func (n *Namespace) Gateway() (netip.Addr, error) { return netip.Addr{}, errLinux }
