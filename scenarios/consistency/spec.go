package consistency

import (
	"time"

	"brunt/scenarios"
)

// A Spec is an entry of `consistency` with its steps resolved.
type Spec struct {
	*scenarios.Consistency
	Writes []scenarios.Call // the write step, in each flow that contains it
	Reads  []scenarios.Call // the read step, likewise
}

// searchLimit bounds the search for an order of compare-and-sets, of one entry of `consistency`.
const searchLimit = 10 * time.Second

// Drawn reports whether brunt draws the values of the writes.
func (s *Spec) Drawn() bool { return s.Value.IsZero() }
