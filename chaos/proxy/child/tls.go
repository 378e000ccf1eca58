package child

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// tlsWithin bounds a TLS handshake with a server.
const tlsWithin = time.Second

// speaksTLS tries a TLS handshake with a server, over a connection that a diversion spares. A server that does not
// answer counts as one without TLS.
func (s *server) speaksTLS(ctx context.Context, a tlsArgs) (bool, error) {
	in, err := find(s, s.spaces, a.Space)
	if err != nil {
		return false, err
	}
	table, err := find(s, s.tables, a.Table)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, tlsWithin)
	defer cancel()
	var conn net.Conn
	d := net.Dialer{Control: table.Spare}
	if err := in.n.Do(func() (err error) {
		conn, err = d.DialContext(ctx, "tcp", a.To.String())
		return err
	}); err != nil {
		return false, nil
	}
	defer conn.Close()
	return answersTLS(ctx, conn), nil
}

// answersTLS tries a TLS handshake on a connection. A TLS alert also counts as an answer.
func answersTLS(ctx context.Context, conn net.Conn) bool {
	// The server need not be verified: nothing is sent to it.
	err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
	if err == nil {
		return true
	}
	refused, ok := errors.AsType[*net.OpError](err)
	return ok && refused.Op == "remote error" // an alert
}
