package netns

import (
	"errors"
	"fmt"
)

// An Undo is what takes back what outlives brunt, as data: a queueing discipline that was
// put on links stays there until somebody removes it. Whoever has the namespace open can
// do it, with [Namespace.Undo].
type Undo struct {
	Namespace string     `json:"namespace"` // which one, for as long as this machine runs
	Kind      string     `json:"kind"`      // of the discipline: netem, tbf, prio
	Handle    uint16     `json:"handle"`    // of the discipline, by which brunt's own is known
	Links     []LinkUndo `json:"links"`
}

// A LinkUndo is a link as it was.
type LinkUndo struct {
	Index    int    `json:"index"`
	Name     string `json:"name"`
	QueueLen int    `json:"queue_len"` // txqueuelen, in packets; the kernel makes 1000 of 0 when a discipline comes
}

// ErrOther tells that a namespace is not the one that an Undo is about: what was done is
// gone with that one.
var ErrOther = errors.New("it is another network namespace")

// Prepare picks the mechanism for s, and gives s with it written in, so that Set takes no
// other. Where what it sets outlives brunt it gives the Undo as well, which holds from
// before Set until the state it tells of is back; else that is nil. It changes nothing.
func (n *Namespace) Prepare(s Spec) (Spec, *Undo, error) {
	via, err := n.Pick(s)
	if err != nil {
		return s, nil, err
	}
	s.Via = via
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
