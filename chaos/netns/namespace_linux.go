package netns

import (
	"fmt"

	"brunt/chaos/netns/kernel"
)

// A Namespace is an open network namespace. The kernel keeps it while it is open, even if all
// processes have left it. Its effects stay in force after Close.
type Namespace struct {
	*kernel.Namespace
	Run    string // run that sets effects, see [Namespace.Set]; empty: the effects of all runs add up
	probes probes
}

// Open opens a namespace by a path such as /proc/PID/ns/net.
func Open(path string) (*Namespace, error) {
	n, err := kernel.Open(path)
	if err != nil {
		return nil, err
	}
	return &Namespace{Namespace: n}, nil
}

// New makes a namespace that has only the loopback, which is up. It exists while it is open or a
// thread is in it.
func New() (*Namespace, error) {
	n, err := kernel.New()
	if err != nil {
		return nil, err
	}
	return &Namespace{Namespace: n}, nil
}

// throwaway runs f on a thread in a new namespace that contains a link probe0. The namespace ends
// with the thread.
func throwaway(f func() error) error {
	n, err := New()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoThrowaway, err)
	}
	defer n.Close()
	return n.Do(func() error {
		if err := addProbeLinks(); err != nil {
			return fmt.Errorf("%w: %w", ErrNoThrowaway, err)
		}
		return f()
	})
}

// attempt probes m with this kernel and brunt's rights.
func attempt(m mechanism) error { return throwaway(m.probe) }
