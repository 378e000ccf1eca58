// Package sockdiag lists and destroys sockets of the thread's network namespace through the kernel's
// sock_diag interface.
package sockdiag
