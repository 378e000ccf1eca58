package mysql

import (
	"crypto/tls"
	"net"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"

	"github.com/go-sql-driver/mysql"
)

// wire is a socket that records the times of its last write and of the first read after it, why it failed, which the
// driver does not report, and the server's status. It also does TLS, which would hide the status from it. It is not
// safe for concurrent use, except for Close.
type wire struct {
	*net.TCPConn
	over  net.Conn    // the socket, or TLS over it
	tls   *tls.Config // nil: no TLS, or it has begun
	stage func(scenarios.RequestPhase)
	login bool // over TLS, until the first command

	now         func() time.Duration
	sent, first time.Duration
	wrote       bool
	bytes       int64 // decrypted
	err         error
	replies     replies
	claim       budget.Claim // of the packet that is being read
}

// reset clears the records.
func (w *wire) reset() { w.sent, w.first, w.wrote, w.err = 0, 0, false, nil }

// Write writes a packet. The driver writes each with one call.
func (w *wire) Write(b []byte) (n int, err error) {
	defer func() {
		if err != nil {
			w.err = err
		}
	}()
	if w.replies.asks(b) {
		w.login = false
	}
	packet := b
	if w.tls != nil {
		packet = slices.Clone(b)
		if err := w.upgrade(packet); err != nil {
			return 0, err
		}
	}
	if w.login && len(b) >= headerSize {
		packet = slices.Clone(packet)
		packet[headerSize-1]++ // the request for TLS was a packet
	}
	n, err = w.over.Write(packet)
	w.sent, w.first, w.wrote = w.now(), 0, w.wrote || n > 0
	return n, err
}

// upgrade asks for TLS, and begins it. The request is the head of the packet with which the driver logs in, to which
// it adds that the client uses TLS.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_ssl_request.html
func (w *wire) upgrade(login []byte) error {
	const size = 32
	if !w.replies.secures || len(login) < headerSize+size {
		return mysql.ErrNoTLS
	}
	login[headerSize+1] |= ssl >> 8
	request := slices.Clone(login[:headerSize+size])
	request[0], request[1], request[2] = size, 0, 0
	if _, err := w.TCPConn.Write(request); err != nil {
		return err
	}
	w.stage(scenarios.InTLS)
	over := tls.Client(w.TCPConn, w.tls)
	if err := over.Handshake(); err != nil {
		return err
	}
	w.stage(scenarios.InLogin)
	w.over, w.tls, w.login = over, nil, true
	return nil
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.over.Read(b)
	if n > 0 && w.first == 0 {
		w.first = w.now()
	}
	w.bytes += int64(n)
	w.replies.take(b[:n], w.login)
	if w.claim.Release(); err == nil {
		err = w.claim.Take(2 * w.replies.held) // the driver takes the memory of a packet when it knows its length
	}
	if err != nil {
		w.err = err
	}
	return n, err
}
