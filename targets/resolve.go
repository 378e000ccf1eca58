package targets

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const defaultDNSTTL = 30 * time.Second

// resolver looks names up and remembers the answers for ttl, so that a name that
// moves is followed and one that is asked for with every connection costs nothing.
type resolver struct {
	fixed map[string]string // host or host:port to an address used instead
	ttl   time.Duration
	now   func() time.Time
	ask   func(ctx context.Context, host string) ([]netip.Addr, error)

	mu    sync.Mutex
	known map[string]*question
}

// question is a lookup under way or answered. Those who want the same name at the
// same time share it.
type question struct {
	done  chan struct{} // closed when the rest is valid
	addrs []netip.Addr
	err   error
	own   bool      // the one who asked ran out of time: that says nothing about the name
	until time.Time // zero for a failure: whoever wants the name next asks again
}

func newResolver(fixed map[string]string, ttl time.Duration) *resolver {
	if ttl == 0 {
		ttl = defaultDNSTTL
	}
	return &resolver{fixed: fixed, ttl: ttl, now: time.Now, ask: systemNames, known: map[string]*question{}}
}

func systemNames(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// lookup gives the addresses of host:port. Name is what led to them: the host, or
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

// names gives the addresses of host, which may be one itself.
func (r *resolver) names(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	for {
		q, mine := r.question(host)
		if mine {
			q.addrs, q.err = r.ask(ctx, host)
			if q.err == nil && len(q.addrs) == 0 {
				q.err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
			}
			if q.err == nil {
				q.until = r.now().Add(r.ttl)
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

// question gives the lookup of host that holds; mine tells the caller to ask.
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
