package child

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// tlsWithin bounds the beginning of TLS with a server.
const tlsWithin = time.Second

// speaksTLS begins TLS with a server, by a connection that a diversion spares. A server that does not answer is taken
// for one without TLS.
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

// answersTLS begins TLS on a connection. An answer that refuses is one of TLS too.
func answersTLS(ctx context.Context, conn net.Conn) bool {
	// Who the server is does not matter: nothing is sent to it.
	err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
	if err == nil {
		return true
	}
	refused, ok := errors.AsType[*net.OpError](err)
	return ok && refused.Op == "remote error" // an alert
}
