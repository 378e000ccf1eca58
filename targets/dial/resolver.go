package dial

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/targets"
)

// mostDNSTTL is how long an answer is used if the scenario sets no limit, and the answer's TTL is longer or missing.
const mostDNSTTL = 30 * time.Second

// resolver looks names up and caches the answers for a while. So it follows a name whose address changes, and
// connections to the same name cost no extra queries.
type resolver struct {
	fixed map[string]string // host or host:port to the address used instead
	allow targets.Allowlist
	only  netip.AddrPort // the address to connect to, of those that a name leads to; zero means any
	own   bool           // the scenario names the name server, so that an address is the scenario's word
	ttl   time.Duration  // negative: the answer's TTL
	now   func() time.Time
	ask   Asker

	mu    sync.Mutex
	known map[string]*question
}

// An Asker looks up the addresses of a name. Ttl is how long they are valid; a negative ttl means that this is not
// known.
type Asker func(ctx context.Context, host string) (addrs []netip.Addr, ttl time.Duration, err error)

// question is a lookup, under way or answered. Concurrent requests for a name share it.
type question struct {
	done  chan struct{} // closed when the fields below are valid
	addrs []netip.Addr
	err   error
	own   bool      // the requester ran out of time, which tells nothing about the name
	until time.Time // zero for a failure: the next request for the name queries again
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
	return &resolver{
		fixed: o.Resolve, allow: o.Allow, only: o.Only, own: server.addr.IsValid(), ttl: ttl, now: time.Now, ask: server.ask,
		known: map[string]*question{},
	}
}

// Lookup returns the addresses to which connections of a load to host:port would go now. Name is the host for which the
// system's resolver gave them; it is empty if the scenario did.
func Lookup(ctx context.Context, o targets.Options, hostport string) (addrs []netip.AddrPort, name string, err error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, "", err
	}
	return newResolver(&o).lookup(ctx, host, port)
}

// UseAsker replaces DNS, and the clock that decides when answers expire.
func (d *Network) UseAsker(now func() time.Time, ask Asker) { d.names.now, d.names.ask = now, ask }

// lookup returns the addresses of host:port. Name is the host that was looked up, or empty if the scenario's resolve
// or its name server gave the address: an allow-list of names speaks of the addresses that the system's resolver gives.
func (r *resolver) lookup(ctx context.Context, host, port string) (addrs []netip.AddrPort, name string, err error) {
	all, fixed := Resolved(host, port, r.fixed)
	if _, perr := netip.ParseAddr(host); !fixed && (!r.own || perr == nil) {
		name = host
	}
	for _, to := range all {
		n, lerr := net.DefaultResolver.LookupPort(ctx, "tcp", to.Port)
		if err = cmp.Or(lerr, err); lerr != nil {
			continue
		}
		ips, nerr := r.names(ctx, to.Host, uint16(n))
		err = cmp.Or(nerr, err)
		for _, ip := range ips {
			addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(n)))
		}
	}
	if r.only.IsValid() {
		addrs = slices.DeleteFunc(addrs, func(a netip.AddrPort) bool { return a != r.only })
		if len(addrs) == 0 && err == nil {
			err = fmt.Errorf("%s leads to %s no more", net.JoinHostPort(host, port), r.only)
		}
	}
	if len(addrs) > 0 { // one of several places that is not found does not hide the others
		err = nil
	}
	return addrs, name, err
}

// A Place is where a connection goes.
type Place struct {
	Host string // a name or an address
	Port string
}

// String returns host:port.
func (p Place) String() string { return net.JoinHostPort(p.Host, p.Port) }

// Resolved returns the places that connections to host:port go to under a load's resolve; at least one. Its keys are
// host:port or a host. A value has several places with commas between them, each of which may omit the port. Own is
// false if resolve has no entry for them.
func Resolved(host, port string, resolve map[string]string) (places []Place, own bool) {
	for _, key := range []string{net.JoinHostPort(host, port), host} {
		value, ok := resolve[key]
		if !ok {
			continue
		}
		for _, to := range placesIn(value) {
			if h, p, err := net.SplitHostPort(to); err == nil {
				places = append(places, Place{h, p})
				continue
			}
			places = append(places, Place{strings.Trim(to, "[]"), port})
		}
		return places, true
	}
	return []Place{{host, port}}, false
}

// Gives reports whether a load's resolve gives host:port as a place.
func Gives(resolve map[string]string, hostport string) bool {
	_, port, _ := net.SplitHostPort(hostport)
	for from := range resolve {
		if host, own, err := net.SplitHostPort(from); err == nil {
			from, port = host, own
		}
		places, _ := Resolved(from, port, resolve)
		if slices.ContainsFunc(places, func(p Place) bool { return p.String() == hostport }) {
			return true
		}
	}
	return false
}

// placesIn returns the texts between the commas of a value of resolve; at least one.
func placesIn(value string) []string {
	all := strings.Split(value, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// names returns the addresses of host, which may itself be an address. It fails for a name that the allow-list does not
// let be looked up.
func (r *resolver) names(ctx context.Context, host string, port uint16) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	if err := targets.CheckName(r.allow, host, port); err != nil {
		return nil, err
	}
	targets.StagesOf(ctx).Enter(scenarios.InDNS)
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

// holds returns how long an answer with the given TTL is used.
func (r *resolver) holds(ttl time.Duration) time.Duration {
	switch {
	case r.ttl >= 0:
		return r.ttl
	case ttl < 0:
		return mostDNSTTL
	}
	return min(ttl, mostDNSTTL)
}

// question returns the current lookup of host; mine: the caller must run it.
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
