package ledger

import (
	"brunt/scenarios"
	"brunt/scenarios/load"
)

// A Spec is a ledger with its steps resolved.
type Spec struct {
	*scenarios.Ledger
	Writes []scenarios.Call // the step, in each of the flows that it stands in
	Query  load.Step
	Places []Place
	Draws  bool // the writes name ${ledger.id}
	Early  bool // its id is known before it is sent, so that one without an answer can be found
	Counts int  // the variable that holds what was counted; -1 is none
	Values []int
}

// A place is where every write is asked for.
type Place struct {
	Name string // a unit's, or the URL itself
	Base string // the URL; empty is that of the unit, once it runs
}

// Counted names the variable that an answer's count goes to.
const Counted = "ledger-count"
