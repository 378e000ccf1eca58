// Package sockdiag lists and destroys sockets of the thread's network namespace through the kernel's sock_diag
// interface.
//
//	Connections, Flows  list sockets
//	Destroy             ends connections at once
//	Quiet               ends each connection at a moment without data under way on it
package sockdiag
