package result

// An Incident is a span of the load in which the share of bad requests exceeded the limit, whatever the cause. Times
// are offsets from t0; low and high are bounds of a time.
type Incident struct {
	// intended time of its first bad request, or the time at which a late brunt was ready to send it
	Begin     Num `json:"begin"`
	BeginLow  Num `json:"begin_low"`  // lower bound of begin
	BeginHigh Num `json:"begin_high"` // upper bound of begin
	End       Num `json:"end"`        // time of the first good request after its last bad one, or the end of the load
	// lower bound of end. If the incident was not over, the load was good from here to its end, but for less than
	// judge.hold
	EndLow   Num  `json:"end_low"`
	EndHigh  Num  `json:"end_high"` // upper bound of end
	Over     bool `json:"over"`     // the incident was over before the load ended
	Degraded Num  `json:"degraded"` // sum of its spans of bad requests, seconds
	// total length of windows in which requests were in flight and none ended, seconds
	Stalled  Num            `json:"stalled,omitempty"`
	Requests int64          `json:"requests"` // requests intended from begin to end, by the windows
	Bad      int64          `json:"bad"`      // bad requests in the windows that it overlaps
	Steps    []IncidentStep `json:"steps"`    // steps with bad requests, the one with most first
	// bad requests by kind of error; skipped counts steps after a failed one
	Kinds  map[string]int64 `json:"kinds" mask:"word"`
	Faults []string         `json:"faults" mask:"-"` // faults that were active at any time of it
	// it began while a fault was active, or within judge.hold after its clearing
	Planned bool `json:"planned"`
}

// IncidentStep counts the bad requests of a step in an incident.
type IncidentStep struct {
	Load string `json:"load" mask:"-"`    // load of the step
	Step string `json:"step" mask:"word"` // name of the step
	Bad  int64  `json:"bad"`              // its bad requests
}
