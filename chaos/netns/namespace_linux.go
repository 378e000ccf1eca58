package netns

import (
	"fmt"
	"os"

	"brunt/chaos/netns/kernel"

	"golang.org/x/sys/unix"
)

// A Namespace is one that is open. As long as it is, the kernel keeps it, whoever else
// has left it.
type Namespace struct {
	path string
	file *os.File
	own  bool // it is the one that this process is in: none is to be entered
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

// ID is the namespace's own: equal if and only if two are the same, while both are open.
// Later, the kernel may give it to another.
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

// Close lets go of it. What is in force stays so.
func (n *Namespace) Close() error { return n.file.Close() }

// Do runs f on a thread that is inside, and waits for it. What f opens there stays
// inside: sockets, netlink connections. Goroutines that f starts are outside.
func (n *Namespace) Do(f func() error) error {
	return kernel.OnThread(func() error {
		// To enter needs CAP_SYS_ADMIN, which a helper that was started inside lacks.
		if !n.own {
			if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
				return kernel.Hint(fmt.Errorf("entering the network namespace %s: %w", n.path, err))
			}
		}
		return f()
	})
}

// New makes a namespace that has nothing but the loopback, which is up. It is there for
// as long as somebody has it open or is in it.
func New() (*Namespace, error) {
	n := &Namespace{path: "that was made new"}
	err := kernel.OnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return kernel.Hint(fmt.Errorf("making a network namespace: %w", err))
		}
		f, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return fmt.Errorf("opening a new network namespace: %w", err)
		}
		n.file = f
		return raise("lo")
	})
	if err != nil {
		if n.file != nil {
			n.file.Close()
		}
		return nil, err
	}
	return n, nil
}

// File is what holds the namespace. A child that inherits it can open the namespace as
// /proc/self/fd/N.
func (n *Namespace) File() *os.File { return n.file }

// throwaway runs f on a thread that is in a new namespace, which ends with it. In it is
// a link called probe0.
func throwaway(f func() error) error {
	n, err := New()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoThrowaway, err)
	}
	defer n.Close()
	return n.Do(func() error {
		if err := furnish(); err != nil {
			return fmt.Errorf("%w: %w", ErrNoThrowaway, err)
		}
		return f()
	})
}

// attempt tells whether m works with this kernel and with the rights that brunt has.
func attempt(m mechanism) error { return throwaway(m.probe) }
