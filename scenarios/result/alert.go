package result

// An AlertRecord is what an alert of the team's own monitoring did while the run went
// on. Times are offsets from t0. It was asked every so often, so that each change
// lies between two answers: the first that tells of it, and the last before.
type AlertRecord struct {
	Name   string            `json:"name"`             // as the scenario has it
	Source string            `json:"source"`           // prometheus or alertmanager, and where
	Labels map[string]string `json:"labels,omitempty"` // that it was looked for by
	Every  Num               `json:"every"`            // between two questions
	For    Num               `json:"for"`              // how long its condition must hold before it fires, as Prometheus says; null is not known
	Ahead  Num               `json:"ahead"`            // the monitoring's clock before brunt's, which its own times were corrected by; null is not known
	Asked  int64             `json:"asked"`            // questions
	Failed int64             `json:"failed"`           // questions that had no answer
	Spells []AlertSpell      `json:"spells"`           // each time that it was pending or firing
	Note   string            `json:"note,omitempty"`   // what a reader should know
}

// An AlertSpell is one time that an alert was pending or firing.
type AlertSpell struct {
	Pending      Num    `json:"pending"`            // its condition held from then on, by the monitoring's own word; null is not known
	Firing       Num    `json:"firing"`             // it was found to fire; null: it did not
	NotFiring    Num    `json:"not_firing"`         // it was found not to fire last before that; null: it fired when it was asked first
	Resolved     Num    `json:"resolved"`           // it was found to fire no more; null: it still fired when it was asked last, or never did
	StillFiring  Num    `json:"still_firing"`       // it was found to fire last
	Silenced     bool   `json:"silenced,omitempty"` // it was silenced or inhibited: it fired, and nobody was told
	Fault        string `json:"fault,omitempty"`    // that it fired after, while no other was in
	Text         string `json:"text,omitempty"`     // its labels, for people
	FiringSource Num    `json:"firing_source"`      // since when it fires, by the monitoring's own word; null is not known
}
