//go:build !linux

package netns

import (
	"context"
	"net/netip"
)

// Look makes traffic inside and tells what came of it.
func (n *Namespace) Look(context.Context, Look) (Seen, error) { return Seen{}, errLinux }

// Line opens a connection from inside and holds it.
func (n *Namespace) Line(context.Context, netip.AddrPort) (Line, error) { return nil, errLinux }

// Gateway is where the namespace sends what is for others.
func (n *Namespace) Gateway() (netip.Addr, error) { return netip.Addr{}, errLinux }
