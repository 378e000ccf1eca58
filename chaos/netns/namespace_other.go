//go:build !linux

package netns

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"syscall"
)

// errLinux reports that network namespaces exist only on Linux.
var errLinux = errors.New("network namespaces are Linux's alone: run brunt on Linux, in the virtual machine of " +
	"Docker Desktop for example")

// A Namespace is an open network namespace.
type Namespace struct {
	Run    string // run that sets effects
	probes probes
}

// Open opens a namespace by a path such as /proc/PID/ns/net. It needs Linux.
func Open(string) (*Namespace, error) { return nil, errLinux }

// ID returns the identity of the namespace.
func (n *Namespace) ID() (string, error) { return "", errLinux }

// Close closes the namespace.
func (n *Namespace) Close() error { return nil }

// Do runs f in the namespace.
func (n *Namespace) Do(func() error) error { return errLinux }

func attempt(mechanism) error { return errLinux }

// mechanisms returns a placeholder that reports the missing support.
func mechanisms(Action) []mechanism {
	return []mechanism{{name: "none", can: func(Spec) error { return errLinux }}}
}

// New makes a namespace. It needs Linux.
func New() (*Namespace, error) { return nil, errLinux }

// File returns the file that holds the namespace open.
func (n *Namespace) File() *os.File { return nil }

// claim claims nothing.
func (n *Namespace) claim() (*claim, error) { return nil, nil }

// asked returns the names as they were.
func (n *Namespace) asked(names []string) []string { return names }

// Traces lists what is left in the namespace.
func (n *Namespace) Traces() ([]Trace, error) { return nil, errLinux }

// Redirects lists what redirects connections.
func (n *Namespace) Redirects() ([]string, error) { return nil, errLinux }

// Undo restores the state that u describes.
func (n *Namespace) Undo(Undo) error { return errLinux }

// A Diversion redirects connections. It needs Linux.
type Diversion struct{}

// NewDiversion makes a Diversion.
func (n *Namespace) NewDiversion() (*Diversion, error) { return nil, errLinux }

// Spare marks a socket that is not redirected.
func (d *Diversion) Spare(_, _ string, _ syscall.RawConn) error { return errLinux }

// Set redirects new connections from the keys to the values.
func (d *Diversion) Set(map[netip.AddrPort]netip.AddrPort, bool) error { return errLinux }

// Lift ends the redirection of new connections.
func (d *Diversion) Lift() error { return nil }

// EndQuiet ends connections. It needs Linux.
func (n *Namespace) EndQuiet(context.Context, Quiet, func() ([]End, bool)) (int, error) {
	return 0, errLinux
}

// Opened returns ends of connections. It needs Linux.
func (n *Namespace) Opened([]netip.AddrPort) ([]End, error) { return nil, errLinux }

// Cut ends connections. It needs Linux.
func (n *Namespace) Cut([]End) error { return errLinux }

// Close ends the redirection.
func (d *Diversion) Close() error { return nil }
