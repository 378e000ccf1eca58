package result

// A LedgerRecord is the result of a run's ledger. Times are offsets from t0.
//
// Writes are counted over the whole run, warm-up included. They are read back once, after the
// load, with all faults reverted and after the settle time.
type LedgerRecord struct {
	Write        string   `json:"write"`        // the step that writes
	Units        []string `json:"units"`        // where every write was read back
	Read         bool     `json:"read"`         // false: it was not read back; note says why
	Acknowledged int64    `json:"acknowledged"` // writes with an answer that counts as an acknowledgement
	Held         int64    `json:"held"`         // acknowledged, and found once and the same at every unit
	Lost         int64    `json:"lost"`         // acknowledged, and found at no unit
	Duplicated   int64    `json:"duplicated"`   // found more than once at a unit, acknowledged or not
	// acknowledged, and found at some units and not at others, or with different content
	Stale      int64 `json:"stale"`
	Unknown    int64 `json:"unknown"`    // acknowledged, and not found, while a unit gave no answer
	Unread     int64 `json:"unread"`     // acknowledged and found, while a unit gave no answer
	Unnamed    int64 `json:"unnamed"`    // acknowledged, without an id to find them by
	Unrecorded int64 `json:"unrecorded"` // beyond the capacity of a ledger
	Refused    int64 `json:"refused"`    // sent, and not acknowledged, with an id to find them by
	// refused writes that were found: not lost, because they were never promised
	Present  int64  `json:"present"`
	RPO      Num    `json:"rpo"`                 // the age of the oldest lost write; 0 when none was lost
	RPOFault string `json:"rpo_fault,omitempty"` // the fault that it was lost to
	Asked    Num    `json:"asked"`               // when the reading began
	Took     Num    `json:"took"`                // how long the reading took
	// writes in other states than held, the worst first; all are in ledger.jsonl
	Keys []WriteKey `json:"keys"`
	Left int64      `json:"left,omitempty"` // number of further writes
	Note string     `json:"note,omitempty"` // why it was not read, or oddities
}

// Unsure counts the acknowledged writes whose state is not fully known.
func (l *LedgerRecord) Unsure() int64 { return l.Unknown + l.Unread + l.Unnamed + l.Unrecorded }

// A WriteKey is one write in another state than held.
type WriteKey struct {
	ID           string         `json:"id"`              // id that it is found by
	State        WriteState     `json:"state"`           // state of the write
	Acknowledged Num            `json:"acknowledged"`    // null: it was not acknowledged
	Ended        Num            `json:"ended"`           // when its answer was received, or it was given up
	Age          Num            `json:"age"`             // of a lost write: from the acknowledgement to its loss
	Fault        string         `json:"fault,omitempty"` // the fault that it was lost to
	Found        map[string]int `json:"found,omitempty"` // how often it was found at each unit; -1 is no answer
	Note         string         `json:"note,omitempty"`  // remarks for readers
}

// WriteState is the state of a write.
type WriteState string

// The states of a write. Where several apply, the first in this list counts.
const (
	WriteLost       WriteState = "lost"
	WriteDuplicated WriteState = "duplicated"
	WriteStale      WriteState = "stale"
	WriteUnknown    WriteState = "unknown"
	WriteUnread     WriteState = "unread"
	WritePresent    WriteState = "present" // though it was not acknowledged
)
