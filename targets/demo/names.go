package demo

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	nameEvery    = time.Second     // how often a name that calls use is asked for
	namePatience = 2 * time.Second // for the answer, in the background
)

// A lookup returns the addresses of a host.
type lookup func(ctx context.Context, host string) ([]string, error)

// names knows the addresses of hosts. A host keeps its address as long as it answers. Calls ask for its name again
// every nameEvery, in the background, and another answer is used once the address does not answer.
type names struct {
	lookup lookup
	dial   dialer
	end    context.CancelFunc
	ctx    context.Context // of questions in the background
	asking sync.WaitGroup

	mu    sync.Mutex
	known map[string]*known // by host
}

// A known host has an address.
type known struct {
	addr, next string // next is another answer, for when addr does not answer
	asked      time.Time
	asking     bool
}

func newNames(ctx context.Context, ask lookup, dial dialer) *names {
	n := &names{lookup: ask, dial: dial, known: map[string]*known{}}
	n.ctx, n.end = context.WithCancel(context.WithoutCancel(ctx))
	return n
}

// stop ends the questions in the background.
func (n *names) stop() {
	n.end()
	n.asking.Wait()
}

// used notes that a call to a host begins.
func (n *names) used(_ context.Context, host string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := n.known[host]
	if k == nil || k.asking || time.Since(k.asked) < nameEvery {
		return nil
	}
	k.asking, k.asked = true, time.Now()
	n.asking.Go(func() {
		ctx, cancel := context.WithTimeout(n.ctx, namePatience)
		defer cancel()
		addrs, err := n.lookup(ctx, host)
		n.mu.Lock()
		defer n.mu.Unlock()
		if k.asking = false; err == nil && len(addrs) > 0 && addrs[0] != k.addr {
			k.next = addrs[0]
		}
	})
	return nil
}

// dialKnown dials an address of a host and a port.
func (n *names) dialKnown(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return n.dial(ctx, network, addr)
	}
	ip, err := n.address(ctx, host)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	c, err := n.dial(ctx, network, net.JoinHostPort(ip, port))
	if err != nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		if k := n.known[host]; k.addr == ip {
			k.addr, k.next = k.next, k.addr // the last answer may be wrong, so the other one is kept
		}
	}
	return c, err
}

// address returns the address of a host, and asks for it if it is not known.
func (n *names) address(ctx context.Context, host string) (string, error) {
	if addr := n.last(host); addr != "" {
		return addr, nil
	}
	addrs, err := n.lookup(ctx, host)
	if err != nil {
		return "", err
	}
	if len(addrs) == 0 {
		return "", &net.DNSError{Err: "no address", Name: host}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known[host] == nil { // else another call has learnt it meanwhile
		n.known[host] = &known{addr: addrs[0], next: addrs[0], asked: time.Now()}
	}
	return addrs[0], nil
}

// last returns the address of a host that is known, or nothing.
func (n *names) last(host string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if k := n.known[host]; k != nil {
		return k.addr
	}
	return ""
}

// asksFirst asks for the name of a host and waits for the answer.
func (ask lookup) asksFirst(ctx context.Context, host string) error {
	if _, err := ask(ctx, host); err != nil {
		return &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	return nil
}
