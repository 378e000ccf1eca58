//go:build !linux

package netns

import (
	"errors"
	"os"
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
