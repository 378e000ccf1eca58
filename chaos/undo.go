package chaos

import "encoding/json"

// An Outcome is what a revert came to.
type Outcome string

// The outcomes of a revert.
const (
	Reverted Outcome = "ok"     // the prior state is back
	Gone     Outcome = "gone"   // what was hit is no more
	Failed   Outcome = "failed" // it could not be taken back
	None     Outcome = "none"   // there is nothing to take back
)

// An Undo is what takes a step back, as data: anyone who reads the journal can do
// it. Identity says whom it is for, so that a successor of the same name is never
// touched; Prior is the state before.
type Undo struct {
	Op       string          `json:"op"`
	Args     json.RawMessage `json:"args,omitempty"`
	Identity json.RawMessage `json:"identity,omitempty"`
	Prior    json.RawMessage `json:"prior,omitempty"`
}
