package child

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/proxy"
)

// endQuiet ends the connections that are open to some addresses from inside a namespace, each at a moment without data
// under way on it. It leaves alone connections that are opened meanwhile, since they are diverted. It returns the ends
// of the connections that are still open when the time is over.
func (s *server) endQuiet(ctx context.Context, a quietArgs) (busy []netns.End, err error) {
	in, err := find(s, s.spaces, a.Space)
	if err != nil {
		return nil, err
	}
	open, err := in.n.Opened(a.Called)
	if err != nil {
		return nil, err
	}
	left, err := in.n.EndQuiet(ctx, a.Quiet, func() ([]netns.End, bool) { return open, false })
	if err != nil || left == 0 {
		return nil, err
	}
	now, err := in.n.Opened(a.Called)
	return slices.DeleteFunc(now, func(e netns.End) bool { return !slices.Contains(open, e) }), err
}

// drain ends the connections of proxies in a namespace, each at a moment without data under way on it. left is the
// number of connections that are still open when the time is over.
func (s *server) drain(ctx context.Context, a drainArgs) (left int, err error) {
	in, err := find(s, s.spaces, a.Space)
	if err != nil {
		return 0, err
	}
	var proxies []*proxy.Proxy
	for _, n := range a.Proxies {
		if p, err := find(s, s.proxies, n); err == nil {
			proxies = append(proxies, p)
			p.Leave()
		}
	}
	between := func() (ends []netns.End, more bool) {
		left = 0
		for _, p := range proxies {
			clients, open := p.Between()
			left += open
			for _, c := range clients {
				ends = append(ends, netns.End{Addr: c, Local: true})
			}
		}
		return ends, left > 0
	}
	_, err = in.n.EndQuiet(ctx, a.Quiet, between)
	between()
	return left, err
}

// EndQuiet ends the IPv4 connections that are open to addresses from inside the namespace, each at a moment without
// data under way on it. It returns the ends of the connections that are still open when the time is over.
func (s *Space) EndQuiet(ctx context.Context, to []netip.AddrPort, q netns.Quiet) (busy []netns.End, err error) {
	return opQuiet.Of(ctx, s.p.ask, quietArgs{s.n, to, q})
}

// Cut ends connections at once, and data under way on them is lost.
func (s *Space) Cut(ctx context.Context, of []netns.End) error {
	_, err := opCut.Of(ctx, s.p.call, cutArgs{s.n, of})
	return err
}

// Drain ends the connections of proxies of the process in the namespace: it asks clients to open others, and ends each
// connection at a moment without data under way on it. left is the number of connections that are still open when the
// time is over.
func (s *Space) Drain(ctx context.Context, proxies []*Proxy, within time.Duration) (left int, err error) {
	a := drainArgs{Space: s.n, Quiet: netns.Quiet{Within: within}}
	for _, x := range proxies {
		a.Proxies = append(a.Proxies, x.n)
	}
	left, err = opDrain.Of(ctx, s.p.ask, a)
	return left, unlessEnded(err)
}
