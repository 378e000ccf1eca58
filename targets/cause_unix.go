//go:build !windows

package targets

import "syscall"

// Errors with which this system reports why a connection failed.
var (
	refused     = []error{syscall.ECONNREFUSED}
	reset       = []error{syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED}
	unreachable = []error{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ETIMEDOUT}
	noSocket    = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}
	noPort      = []error{syscall.EADDRNOTAVAIL, syscall.EADDRINUSE}
)
