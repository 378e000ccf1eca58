package proxy

import (
	"net"
	"syscall"
	"time"
)

// past is a deadline that interrupts a read or write at once.
var past = time.Unix(1, 0)

// A source is the socket from which a flow reads. The flow's lock guards it.
type source struct {
	conn  *net.TCPConn // nil until connected
	raw   syscall.RawConn
	poked bool  // the read deadline is in the past
	lost  error // the other end is gone, as a write to it reported
}

// poke interrupts a pending read.
func (s *source) poke() {
	if s.conn != nil {
		s.poked = true
		_ = s.conn.SetReadDeadline(past)
	}
}

// clear lets reads wait again.
func (s *source) clear() {
	if s.poked {
		s.poked = false
		_ = s.conn.SetReadDeadline(time.Time{})
	}
}

// A destination is the socket to which a flow writes. The flow's lock guards it.
type destination struct {
	conn  *net.TCPConn // nil until connected
	raw   syscall.RawConn
	poked bool  // the write deadline is in the past
	lost  error // the other end is gone
}

// clear lets writes wait again.
func (d *destination) clear() {
	if d.poked {
		d.poked = false
		_ = d.conn.SetWriteDeadline(time.Time{})
	}
}
