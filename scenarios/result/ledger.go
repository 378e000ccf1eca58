package result

// A LedgerRecord is what the ledger of a run found. Times are offsets from t0.
//
// Writes are counted over the whole run, warm-up included, and read back once, after
// the load, with all faults taken back and the target left alone to settle.
type LedgerRecord struct {
	Write        string     `json:"write"`               // the step
	Units        []string   `json:"units"`               // where every write was asked for
	Read         bool       `json:"read"`                // false: it was not read back, and Note says why
	Acknowledged int64      `json:"acknowledged"`        // writes whose answer was what counts as an acknowledgement
	Held         int64      `json:"held"`                // acknowledged, and found once and the same at every unit
	Lost         int64      `json:"lost"`                // acknowledged, and found at no unit
	Duplicated   int64      `json:"duplicated"`          // found more than once at a unit, acknowledged or not
	Stale        int64      `json:"stale"`               // acknowledged, and found at some units and not at others, or not the same
	Unknown      int64      `json:"unknown"`             // acknowledged, and not found, while a unit gave no answer
	Unread       int64      `json:"unread"`              // acknowledged and found, while a unit gave no answer
	Unnamed      int64      `json:"unnamed"`             // acknowledged, without an id to find them by
	Unrecorded   int64      `json:"unrecorded"`          // beyond what a ledger holds
	Refused      int64      `json:"refused"`             // sent, and not acknowledged, with an id to find them by
	Present      int64      `json:"present"`             // of them found all the same: not lost, as nobody was promised anything
	RPO          Num        `json:"rpo"`                 // the age of the oldest lost write; 0 when none was lost
	RPOFault     string     `json:"rpo_fault,omitempty"` // that it was lost to
	Asked        Num        `json:"asked"`               // when the reading began
	Took         Num        `json:"took"`                // how long the reading took
	Keys         []WriteKey `json:"keys"`                // of those that were not simply held, the worst first; all are in ledger.jsonl
	Left         int64      `json:"left,omitempty"`      // how many more there are
	Note         string     `json:"note,omitempty"`      // why it was not read, or what is odd
}

// Unsure counts the acknowledged writes of which not all is known.
func (l *LedgerRecord) Unsure() int64 { return l.Unknown + l.Unread + l.Unnamed + l.Unrecorded }

// A WriteKey is one write that was not simply held.
type WriteKey struct {
	ID           string         `json:"id"`              // that it is found by
	State        WriteState     `json:"state"`           // what became of it
	Acknowledged Num            `json:"acknowledged"`    // null: it was not
	Ended        Num            `json:"ended"`           // when its answer was in, or it was given up
	Age          Num            `json:"age"`             // of a lost one: from the acknowledgement to the instant of its loss
	Fault        string         `json:"fault,omitempty"` // that it was lost to
	Found        map[string]int `json:"found,omitempty"` // how often at each unit; -1 is no answer
	Note         string         `json:"note,omitempty"`  // what a reader should know
}

// WriteState is what became of a write.
type WriteState string

// The states of a write. One that is several of them is what stands first.
const (
	WriteLost       WriteState = "lost"
	WriteDuplicated WriteState = "duplicated"
	WriteStale      WriteState = "stale"
	WriteUnknown    WriteState = "unknown"
	WriteUnread     WriteState = "unread"
	WritePresent    WriteState = "present" // though it was not acknowledged
)
