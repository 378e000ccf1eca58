package child

import (
	"context"
	"net/netip"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/proxy"
)

// endQuiet ends the connections from a namespace to some addresses, each while nothing is under way on it.
func endQuiet(ctx context.Context, in *space, a spaceArguments) (left int, err error) {
	ends := make([]netns.End, len(a.Called))
	for i, at := range a.Called {
		ends[i].Addr = at
	}
	return in.n.EndQuiet(ctx, a.Within, func() ([]netns.End, bool) { return ends, false })
}

// drain ends the connections of proxies in a namespace, each while nothing is under way on it. left is how many are still open when the
// time is over.
func (s *server) drain(ctx context.Context, in *space, a spaceArguments) (left int, err error) {
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
	_, err = in.n.EndQuiet(ctx, a.Within, between)
	between()
	return left, err
}

// EndQuiet ends the connections that were opened from inside the namespace to addresses of IPv4, each while nothing is under way on it.
// left is how many still have something under way when the time is over.
func (s *Space) EndQuiet(ctx context.Context, to []netip.AddrPort, within time.Duration) (left int, err error) {
	err = s.p.ask(ctx, opQuiet, arguments{Space: spaceArguments{N: s.n, Called: to, Within: within}}, &left)
	return left, err
}

// Drain ends the connections of proxies of the process in the namespace: it asks clients to open others, and ends each connection
// while nothing is under way on it. left is how many are still open when the time is over.
func (s *Space) Drain(ctx context.Context, proxies []*Proxy, within time.Duration) (left int, err error) {
	a := spaceArguments{N: s.n, Within: within}
	for _, x := range proxies {
		a.Proxies = append(a.Proxies, x.n)
	}
	err = s.p.ask(ctx, opDrain, arguments{Space: a}, &left)
	return left, unlessEnded(err)
}
