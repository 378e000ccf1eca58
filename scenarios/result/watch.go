package result

// A Watch is what one unit answered over the run to a question of `watch`, such as its role.
type Watch struct {
	Name   string `json:"name" mask:"-"`    // name in the scenario
	Unit   string `json:"unit" mask:"-"`    // that was asked
	Source string `json:"source,omitempty"` // how it was asked, for people
	Every  Num    `json:"every"`            // between two questions
	// stretches with one answer, in the order of time
	States []UnitState `json:"states"`
	Asked  int         `json:"asked"`          // questions
	Missed int         `json:"missed"`         // questions without an answer
	Note   string      `json:"note,omitempty"` // remarks for readers
}

// A UnitState is a stretch of time in which a unit gave one answer. It begins when the answer first arrived, so
// the unit may have changed since the answer before.
type UnitState struct {
	From Num    `json:"from"` // an offset from t0
	To   Num    `json:"to"`   // an offset from t0
	Text string `json:"text"` // the answer; empty: there was none
}
