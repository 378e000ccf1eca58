package scenarios

// A FaultRecord is a fault as it really happened. Times are offsets from t0;
// onset, failover, recover and heal are spans as measurement.md defines them.
type FaultRecord struct {
	Name         string   `json:"name"`
	Kind         string   `json:"kind"`
	Units        []string `json:"units"`
	Zones        []string `json:"zones,omitempty"`  // that it was aimed at
	Leader       bool     `json:"leader,omitempty"` // it was aimed at the leader, which units names
	Via          string   `json:"via"`
	Planned      Num      `json:"planned"`
	Injected     Num      `json:"injected"`
	Verified     Num      `json:"verified"`
	Evidence     string   `json:"evidence"`
	Cleared      Num      `json:"cleared"`
	GoneEvidence string   `json:"gone_evidence,omitempty"`
	Gone         bool     `json:"gone"`
	Traffic      int64    `json:"traffic"`      // bytes at the link, or requests during the phase
	TrafficUnit  string   `json:"traffic_unit"` // bytes or requests
	Onset        Num      `json:"onset"`
	Failover     Num      `json:"failover"`
	Recover      Num      `json:"recover"`
	Heal         Num      `json:"heal"`
	Detect       Num      `json:"detect"`
	Resolution   Num      `json:"resolution"` // of onset and recovery: the widest window used
	Area         Num      `json:"area"`
	Degraded     Num      `json:"degraded"`
	Failed       int64    `json:"failed_requests"`
	Impact       Impact   `json:"impact"`
	Skipped      bool     `json:"skipped,omitempty"` // nothing matched, and that was allowed
	Revert       string   `json:"revert"`            // ok, gone, failed, none
	Limit        Num      `json:"limit"`             // share of bad requests that counts as impact
	Note         string   `json:"note,omitempty"`
	RecoveredAt  Num      `json:"recovered_at"` // offset from t0
	OnsetAt      Num      `json:"onset_at"`
	Within       Num      `json:"within"`
}

// Impact is what a fault did to the load.
type Impact string

// The impacts.
const (
	Impacted     Impact = "impacted"
	NotImpacted  Impact = "not_impacted"
	NotRecovered Impact = "not_recovered"
	Confounded   Impact = "confounded"
	NotInjected  Impact = "not_injected"
	UnknownYet   Impact = "unknown" // too little data to tell
)
