package result

// An AlertRecord is the course of an alert of the team's own monitoring during the run. Times are
// offsets from t0. The alert was polled, so each change is between two answers: the first that
// reports it, and the one before.
type AlertRecord struct {
	Name   string            `json:"name" mask:"-"`    // name in the scenario
	Source string            `json:"source"`           // prometheus or alertmanager, and where
	Labels map[string]string `json:"labels,omitempty"` // labels that select it
	Every  Num               `json:"every"`            // between two polls
	// how long its condition must hold before it fires, according to Prometheus; null is unknown
	For Num `json:"for"`
	// how far the monitoring's clock is ahead of brunt's; its own times were corrected by this; null
	// is unknown
	Ahead  Num          `json:"ahead"`
	Asked  int64        `json:"asked"`          // polls
	Failed int64        `json:"failed"`         // polls without an answer
	Spells []AlertSpell `json:"spells"`         // each time that it was pending or firing
	Note   string       `json:"note,omitempty"` // remarks for readers
}

// An AlertSpell is one time that an alert was pending or firing.
type AlertSpell struct {
	// since when its condition held, according to the monitoring; null is unknown
	Pending Num `json:"pending"`
	Firing  Num `json:"firing"` // first poll that found it firing; null: it did not fire
	// last poll before that which found it not firing; null: it fired at the first poll
	NotFiring Num `json:"not_firing"`
	// first poll that found it no longer firing; null: it still fired at the last poll, or never did
	Resolved    Num `json:"resolved"`
	StillFiring Num `json:"still_firing"` // last poll that found it firing
	// it fired while silenced or inhibited, so no notification was sent
	Silenced bool   `json:"silenced,omitempty"`
	Fault    string `json:"fault,omitempty" mask:"-"` // the fault that it followed, if no other was active
	Text     string `json:"text,omitempty"`           // its labels, for people
	// since when it fires, according to the monitoring; null is unknown
	FiringSource Num `json:"firing_source"`
}
