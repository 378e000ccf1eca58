package targets

import "golang.org/x/sys/windows"

// Errors with which this system reports why a connection failed.
var (
	refused     = []error{windows.WSAECONNREFUSED}
	reset       = []error{windows.WSAECONNRESET, windows.WSAECONNABORTED, windows.WSAESHUTDOWN}
	unreachable = []error{windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH, windows.WSAETIMEDOUT}
	noSocket    = []error{windows.WSAEMFILE, windows.WSAENOBUFS}
	noPort      = []error{windows.WSAEADDRNOTAVAIL, windows.WSAEADDRINUSE}
)
