//go:build !linux

package dial

import "syscall"

// bindLate does nothing: the port of a socket is chosen with its source address.
func bindLate(syscall.RawConn) {}
