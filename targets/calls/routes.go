package calls

import (
	"context"
	"crypto/tls"
	"net"
	"sync"

	"brunt/targets"
	"brunt/targets/http/h1"
)

// Routes are the places for connections to each server of an endpoint.
type Routes[C targets.Pooled] struct {
	open func(address string) *targets.Places[C]
	mu   sync.Mutex
	of   map[string]*targets.Places[C] // by host:port
}

// NewRoutes creates routes. Open creates the places for connections to a server when they are needed first.
func NewRoutes[C targets.Pooled](open func(address string) *targets.Places[C]) *Routes[C] {
	return &Routes[C]{open: open, of: map[string]*targets.Places[C]{}}
}

// To returns the places for connections to a server.
func (r *Routes[C]) To(address string) *targets.Places[C] {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.of[address]
	if p == nil {
		p = r.open(address)
		r.of[address] = p
	}
	return p
}

// Close closes the connections that no call uses.
func (r *Routes[C]) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.of {
		p.Close()
	}
}

// Secure makes the TLS handshake of a connection. Config is nil without TLS.
func Secure(ctx context.Context, on *h1.Conn, config *tls.Config) error {
	if config == nil {
		on.GoDirect()
		return nil
	}
	return on.Secure(ctx, naming(config, on.Address))
}

// naming returns a configuration that names the server: as its user does, or else by its address.
func naming(config *tls.Config, address string) *tls.Config {
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	return config
}
