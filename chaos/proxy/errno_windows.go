package proxy

import "syscall"

var (
	refusedErrnos = []syscall.Errno{10061}                                                 // WSAECONNREFUSED
	resetErrnos   = []syscall.Errno{syscall.WSAECONNRESET, syscall.WSAECONNABORTED, 10058} // and WSAESHUTDOWN
)
