package dial

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"brunt/targets"
)

// mostDNSTTL is how long an answer is used where the scenario does not say, and the
// Answer says more or nothing.
const mostDNSTTL = 30 * time.Second

// resolver looks names up and remembers the answers for a while, so that a name that
// moves is followed and one that is asked for with every connection costs nothing.
type resolver struct {
	fixed map[string]string // host or host:port to an address used instead
	ttl   time.Duration     // negative is as long as the answer says
	now   func() time.Time
	ask   Asker

	mu    sync.Mutex
	known map[string]*question
}

// An Asker asks for the addresses of a name. Ttl is how long they hold; it is negative
// where that is not known.
type Asker func(ctx context.Context, host string) (addrs []netip.Addr, ttl time.Duration, err error)

// question is a lookup under way or answered. Requests for the same name at the
// same time share it.
type question struct {
	done  chan struct{} // closed when the rest is valid
	addrs []netip.Addr
	err   error
	own   bool      // the request that asked ran out of time, which says nothing about the name
	until time.Time // zero for a failure: the next request for the name asks again
}

func newResolver(o *targets.Options) *resolver {
	ttl := o.Connections.DNSTTL.D()
	if ttl == 0 && !o.Connections.Has("dns_ttl") {
		ttl = -1
	}
	server := nameServer{allow: o.Allow}
	if o.Connections.DNS != "" {
		server.addr, _ = ParseNameServer(o.Connections.DNS) // validated
	}
	return &resolver{fixed: o.Resolve, ttl: ttl, now: time.Now, ask: server.ask, known: map[string]*question{}}
}

// Lookup returns the addresses of a name as a load's connections would find them now.
func Lookup(ctx context.Context, o targets.Options, host string) ([]netip.Addr, error) {
	return newResolver(&o).names(ctx, host)
}

// UseAsker replaces DNS and the clock that answers expire by.
func (d *Network) UseAsker(now func() time.Time, ask Asker) { d.names.now, d.names.ask = now, ask }

// lookup returns the addresses of host:port. Name is what led to them: the host, or
// nothing where a scenario's own resolve did.
func (r *resolver) lookup(ctx context.Context, host, port string) (addrs []netip.AddrPort, name string, err error) {
	name = host
	var own bool
	if host, port, own = Resolved(host, port, r.fixed); own {
		name = ""
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return nil, "", err
	}
	ips, err := r.names(ctx, host)
	if err != nil {
		return nil, "", err
	}
	for _, ip := range ips {
		addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(n)))
	}
	return addrs, name, nil
}

// Resolved gives where a connection to host and port is made under a load's resolve,
// whose keys are host:port or a host, and whose values may leave the port out. Own is
// false where it says nothing of them.
func Resolved(host, port string, resolve map[string]string) (toHost, toPort string, own bool) {
	for _, key := range []string{net.JoinHostPort(host, port), host} {
		to, ok := resolve[key]
		if !ok {
			continue
		}
		if h, p, err := net.SplitHostPort(to); err == nil {
			return h, p, true
		}
		return strings.Trim(to, "[]"), port, true
	}
	return host, port, false
}

// names returns the addresses of host, which may be one itself.
func (r *resolver) names(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	for {
		q, mine := r.question(host)
		if mine {
			var ttl time.Duration
			q.addrs, ttl, q.err = r.ask(ctx, host)
			if q.err == nil && len(q.addrs) == 0 {
				q.err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
			}
			if q.err == nil {
				q.until = r.now().Add(r.holds(ttl))
			}
			q.own = ctx.Err() != nil
			close(q.done)
			return q.addrs, q.err
		}
		select {
		case <-q.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if q.err == nil || !q.own {
			return q.addrs, q.err
		}
	}
}

// holds gives how long an answer is used that says of itself that it holds for ttl.
func (r *resolver) holds(ttl time.Duration) time.Duration {
	switch {
	case r.ttl >= 0:
		return r.ttl
	case ttl < 0:
		return mostDNSTTL
	}
	return min(ttl, mostDNSTTL)
}

// question returns the lookup of host that holds; mine tells the caller to ask.
func (r *resolver) question(host string) (q *question, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q = r.known[host]; q != nil {
		select {
		case <-q.done:
			if r.now().Before(q.until) {
				return q, false
			}
		default:
			return q, false
		}
	}
	q = &question{done: make(chan struct{})}
	r.known[host] = q
	return q, true
}
