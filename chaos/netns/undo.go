package netns

import (
	"errors"
	"fmt"
)

// An Undo describes, as data, how to restore state that outlives brunt: a queueing discipline stays
// on a link until it is removed. Any process that can open the namespace can apply it with
// [Namespace.Undo].
type Undo struct {
	Namespace string     `json:"namespace"` // its identity, until the machine restarts
	Kind      string     `json:"kind"`      // of the discipline: netem, tbf, prio
	Handle    uint16     `json:"handle"`    // of the discipline; identifies it as brunt's own
	Links     []LinkUndo `json:"links"`
}

// A LinkUndo is the original state of a link.
type LinkUndo struct {
	Index    int    `json:"index"`
	Name     string `json:"name"`
	QueueLen int    `json:"queue_len"` // txqueuelen, in packets; a new discipline changes 0 to 1000
}

// ErrOther reports that the namespace is not the one that an Undo describes. The state to undo was
// removed with that namespace.
var ErrOther = errors.New("it is another network namespace")

// Prepare picks the mechanism for s and returns s with it set in Via, so that Set uses no other. If
// the state would outlive brunt, Prepare also returns its Undo, which is valid from before Set
// until the state is restored; otherwise the Undo is nil. It completes the Names of s, as processes in the namespace
// ask for them. Prepare changes nothing.
func (n *Namespace) Prepare(s Spec) (Spec, *Undo, error) {
	via, err := n.Pick(s)
	if err != nil {
		return s, nil, err
	}
	s.Via, s.Names = via, n.asked(s.Names)
	for _, m := range mechanisms(s.Do) {
		if m.name != via || m.undo == nil {
			continue
		}
		u, err := m.undo(n, &s)
		if err != nil {
			return s, nil, fmt.Errorf("%s: %w", via, err)
		}
		return s, u, nil
	}
	return s, nil, nil
}

// A Trace is a possible remnant of a fault in a namespace, found without an [Undo]: a discipline with a handle in
// brunt's range, or one of brunt's tables.
type Trace struct {
	Table string // nftables table, which the kernel removes with the process that made it; empty: a discipline
	Undo  Undo   // of a discipline on one link
}

// ofHandles reports whether a handle is in the range from which brunt takes the handles of its disciplines.
func ofHandles(handle uint16) bool { return handle&0xc000 == 0x4000 }
