//go:build !unix

package h1

import "net"

// watched is a plain TCP connection, because a watch needs Unix.
type watched struct{ *net.TCPConn }

func NewWatched(*net.TCPConn) *watched { return nil }

// Quiet returns true, because this system can't check a connection without waiting.
func (*watched) Quiet() bool { return true }
