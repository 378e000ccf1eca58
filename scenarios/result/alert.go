package result

// An AlertRecord is the course of an alert of the team's own monitoring during the run. Times are offsets from t0.
// The alert was polled, so each change lies between two polls: the first that reports it, and the poll before.
type AlertRecord struct {
	Name   string            `json:"name" mask:"-"`    // name in the scenario
	Source string            `json:"source"`           // prometheus or alertmanager, and its address
	Labels map[string]string `json:"labels,omitempty"` // labels that select it
	Every  Num               `json:"every"`            // seconds between two polls
	// how long its condition must hold before it fires, in seconds, according to Prometheus; null means unknown
	For Num `json:"for"`
	// seconds by which the monitoring's clock is ahead of brunt's; its times were corrected by this; null means
	// unknown
	Ahead  Num          `json:"ahead"`
	Asked  int64        `json:"asked"`          // number of polls
	Failed int64        `json:"failed"`         // number of polls without an answer
	Spells []AlertSpell `json:"spells"`         // each time that it was pending or firing
	Note   string       `json:"note,omitempty"` // remarks for readers
}

// An AlertSpell is one time that an alert was pending or firing.
type AlertSpell struct {
	// time from which its condition held, according to the monitoring; null means unknown
	Pending Num `json:"pending"`
	Firing  Num `json:"firing"` // first poll that found it firing; null means that it did not fire
	// last poll before `firing`, which found it not firing; null means that it fired at the first poll
	NotFiring Num `json:"not_firing"`
	// first poll that found it no longer firing; null means that it still fired at the last poll, or never fired
	Resolved    Num `json:"resolved"`
	StillFiring Num `json:"still_firing"` // last poll that found it firing
	// it fired while silenced or inhibited, so no notification was sent
	Silenced bool   `json:"silenced,omitempty"`
	Fault    string `json:"fault,omitempty" mask:"-"` // the fault after which it fired, if no other fault was active
	Text     string `json:"text,omitempty"`           // its labels, for people
	// time from which it fired, according to the monitoring; null means unknown
	FiringSource Num `json:"firing_source"`
}
