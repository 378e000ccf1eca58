//go:build !linux

package netns

import (
	"errors"
	"net/netip"
	"os"
	"syscall"
)

// errLinux tells that there is none of this outside of Linux.
var errLinux = errors.New("network namespaces are Linux's alone: run brunt on Linux, in the virtual machine of Docker Desktop for example")

// A Namespace is one that is open.
type Namespace struct{}

// Open opens a namespace by a path such as /proc/PID/ns/net. It needs Linux.
func Open(string) (*Namespace, error) { return nil, errLinux }

// ID is the namespace's own.
func (n *Namespace) ID() (string, error) { return "", errLinux }

// Close lets go of it.
func (n *Namespace) Close() error { return nil }

// Do runs f inside.
func (n *Namespace) Do(func() error) error { return errLinux }

func attempt(mechanism) error { return errLinux }

// mechanisms are none, and one that says so.
func mechanisms(Action) []mechanism {
	return []mechanism{{name: "none", can: func(Spec) error { return errLinux }}}
}

// New makes a namespace. It needs Linux.
func New() (*Namespace, error) { return nil, errLinux }

// File is what holds the namespace.
func (n *Namespace) File() *os.File { return nil }

// Undo takes back what u tells of.
func (n *Namespace) Undo(Undo) error { return errLinux }

// A Diversion has connections go elsewhere. It needs Linux.
type Diversion struct{}

// NewDiversion makes one.
func (n *Namespace) NewDiversion() (*Diversion, error) { return nil, errLinux }

// Spare marks a socket that it leaves alone.
func (d *Diversion) Spare(_, _ string, _ syscall.RawConn) error { return errLinux }

// Set has new connections go from the keys to the values.
func (d *Diversion) Set(map[netip.AddrPort]netip.AddrPort) error { return errLinux }

// Close takes it away.
func (d *Diversion) Close() error { return nil }
