package result

// An Incident is a stretch of the load whose share of bad requests exceeded the limit, whatever caused
// it. Times are offsets from t0; low and high are the interval that contains an instant.
type Incident struct {
	Begin     Num `json:"begin"`      // time of its first bad request: intended, or where brunt was late, ready to send
	BeginLow  Num `json:"begin_low"`  // it began no earlier
	BeginHigh Num `json:"begin_high"` // it began no later
	End       Num `json:"end"`        // time of the first good request after its last bad one, or the end of the load
	// it ended no earlier. Where it was not over, the load was good from here to its end, for less than a hold
	EndLow   Num  `json:"end_low"`
	EndHigh  Num  `json:"end_high"` // it ended no later
	Over     bool `json:"over"`     // it was over before the load ended
	Degraded Num  `json:"degraded"` // sum of its stretches of bad requests, seconds
	// how long requests were in flight and none ended, by the window, seconds
	Stalled  Num            `json:"stalled,omitempty"`
	Requests int64          `json:"requests"` // requests intended from begin to end, as far as windows tell
	Bad      int64          `json:"bad"`      // bad ones in the windows that it overlaps
	Steps    []IncidentStep `json:"steps"`    // steps with bad requests, most first
	// bad requests by kind of error; skipped are the steps after one that failed
	Kinds   map[string]int64 `json:"kinds" mask:"word"`
	Faults  []string         `json:"faults" mask:"-"` // faults that were in at any time of it
	Planned bool             `json:"planned"`         // it began while a fault was in, or within a hold of its clearing
}

// IncidentStep counts the bad requests of a step in an incident.
type IncidentStep struct {
	Load string `json:"load" mask:"-"`    // of the step
	Step string `json:"step" mask:"word"` // its name
	Bad  int64  `json:"bad"`              // its bad requests
}
