package kernel

import (
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Namespace is an open network namespace. The kernel keeps it while it is open, even if all
// processes have left it.
type Namespace struct {
	path string
	file *os.File
	own  bool // the namespace of this process, which needs no setns
}

// Open opens a namespace by a path such as /proc/PID/ns/net.
func Open(path string) (*Namespace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening a network namespace: %w", err)
	}
	n := &Namespace{path: path, file: f}
	id, err := n.ID()
	if err != nil {
		f.Close()
		return nil, err
	}
	self, err := identity("/proc/self/ns/net")
	if err != nil {
		f.Close()
		return nil, err
	}
	n.own = id == self
	return n, nil
}

// ID returns the identity of the namespace. While two namespaces are open, their IDs are equal if
// and only if they are the same. The kernel may reuse the ID of a closed one.
func (n *Namespace) ID() (string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(n.file.Fd()), &st); err != nil {
		return "", fmt.Errorf("looking at the network namespace %s: %w", n.path, err)
	}
	return fmt.Sprintf("%d:%d", st.Dev, st.Ino), nil
}

func identity(path string) (string, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", fmt.Errorf("looking at the network namespace %s: %w", path, err)
	}
	return fmt.Sprintf("%d:%d", st.Dev, st.Ino), nil
}

// Path returns the path by which the namespace was opened.
func (n *Namespace) Path() string { return n.path }

// Close closes the namespace.
func (n *Namespace) Close() error { return n.file.Close() }

// Do runs f on a thread in the namespace and waits for it. Sockets and netlink connections that f
// opens stay in the namespace. Goroutines that f starts run outside.
func (n *Namespace) Do(f func() error) error {
	return OnThread(func() error {
		// Entering needs CAP_SYS_ADMIN, which an agent that was started inside lacks.
		if !n.own {
			if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
				return Hint(fmt.Errorf("entering the network namespace %s: %w", n.path, err))
			}
		}
		return f()
	})
}

// New makes a namespace that has only the loopback, which is up. It exists while it is open or a
// thread is in it.
func New() (*Namespace, error) {
	n := &Namespace{path: "that was made new"}
	err := OnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return Hint(fmt.Errorf("making a network namespace: %w", err))
		}
		f, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return fmt.Errorf("opening a new network namespace: %w", err)
		}
		n.file = f
		return Raise("lo")
	})
	if err != nil {
		if n.file != nil {
			n.file.Close()
		}
		return nil, err
	}
	return n, nil
}

// File returns the file that holds the namespace open. A child that inherits it can open the
// namespace as /proc/self/fd/N.
func (n *Namespace) File() *os.File { return n.file }

// Raise brings a link up.
func Raise(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("finding the link %s: %w", name, err)
	}
	if err := netlink.LinkSetUp(l); err != nil {
		return fmt.Errorf("bringing the link %s up: %w", name, err)
	}
	return nil
}
