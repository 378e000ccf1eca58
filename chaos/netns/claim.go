package netns

import (
	"os"
	"sync"
)

// A claim shows the brunts of all machines that a run has an effect in a namespace: two runs may have agents in the
// network of one pod, and neither knows the journal of the other. It is a socket whose name holds the run, in the
// abstract names of Unix sockets, which belong to the network namespace. The kernel removes it with the process.
type claim struct {
	once   sync.Once
	socket *os.File
}

// release ends the claim. It may be called again, and on nil.
func (c *claim) release() (err error) {
	if c != nil {
		c.once.Do(func() { err = c.socket.Close() })
	}
	return err
}

// claimedHeld is a Spec that is active, with the claim of its run.
type claimedHeld struct {
	Held
	claim *claim
}

// Close implements [Held].
func (h claimedHeld) Close() error {
	if err := h.Held.Close(); err != nil {
		return err
	}
	return h.claim.release()
}

// Wait waits until the effect has served what was in flight when it was closed.
func (h claimedHeld) Wait() {
	if d, drains := h.Held.(interface{ Wait() }); drains {
		d.Wait()
	}
}
