package result

// A Watch holds the answers of one unit, over the run, to a question of `watch`, such as its role.
type Watch struct {
	Name   string `json:"name" mask:"-"`    // name in the scenario
	Unit   string `json:"unit" mask:"-"`    // unit that was asked
	Source string `json:"source,omitempty"` // how it was asked, for people
	Every  Num    `json:"every"`            // seconds between two questions
	// spans with the same answer, in the order of time
	States []UnitState `json:"states"`
	Asked  int         `json:"asked"`          // number of questions
	Missed int         `json:"missed"`         // number of questions without an answer
	Note   string      `json:"note,omitempty"` // remarks for readers
}

// A UnitState is a span in which a unit gave the same answer. It begins when that answer first arrived; the unit
// itself may have changed at any time since the answer before.
type UnitState struct {
	From Num    `json:"from"` // an offset from t0
	To   Num    `json:"to"`   // an offset from t0
	Text string `json:"text"` // the answer; empty if there was none
}
