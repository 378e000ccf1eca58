//go:build !linux

package proxy

import "net"

// pause closes the listener: outside Linux a socket can't stop listening.
func pause(l *net.TCPListener) error { return l.Close() }

// resume listens on the same port again.
func resume(l *net.TCPListener) (*net.TCPListener, error) {
	return net.ListenTCP("tcp", l.Addr().(*net.TCPAddr))
}
