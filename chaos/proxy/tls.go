package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// tlsWithin bounds a TLS handshake with a server.
const tlsWithin = time.Second

// probeTLS tries a TLS handshake with the upstream, past the toxics. A server that can't be asked, or that does not
// answer, is not known to speak TLS.
func (p *Proxy) probeTLS(ctx context.Context) (r ProbeResult) {
	ctx, cancel := context.WithTimeout(ctx, tlsWithin)
	defer cancel()
	var conn net.Conn
	d := net.Dialer{Control: p.c.Control}
	if err := p.c.InNamespace(func() (err error) {
		conn, err = d.DialContext(ctx, "tcp", p.c.Upstream())
		return err
	}); err != nil {
		r.fail(err)
		return r
	}
	defer conn.Close()
	r.Connected, r.Outcome = true, Answered
	if err := answersTLS(ctx, conn); err != nil {
		r.fail(err)
	}
	return r
}

// answersTLS tries a TLS handshake on a connection, and returns nil if a TLS server answers, also by an alert.
func answersTLS(ctx context.Context, conn net.Conn) error {
	// The server need not be verified: nothing is sent to it.
	err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
	if refused, ok := errors.AsType[*net.OpError](err); ok && refused.Op == "remote error" { // an alert
		return nil
	}
	return err
}
