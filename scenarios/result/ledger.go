package result

// A LedgerRecord is the result of a run's ledger. Times are offsets from t0.
//
// Writes are counted over the whole run, warm-up included. They are read back after the load, with
// all faults reverted and after the settle time. Those that are not there are asked for again until
// the time limit of the reading.
type LedgerRecord struct {
	Name         string   `json:"name,omitempty" mask:"-"` // of the ledger, where the scenario has several by name
	Write        string   `json:"write" mask:"word"`       // the step that writes
	Units        []string `json:"units" mask:"-"`          // where every write was read back
	Read         bool     `json:"read"`                    // false: it was not read back; note says why
	Acknowledged int64    `json:"acknowledged"`            // writes with an answer that counts as an acknowledgement
	Held         int64    `json:"held"`                    // acknowledged, and found once and the same at every unit
	// acknowledged, not found at first, and found everywhere when asked for again
	Late       int64 `json:"late"`
	Lost       int64 `json:"lost"`       // acknowledged, and found at no unit
	Duplicated int64 `json:"duplicated"` // found more than once at a unit, acknowledged or not
	// acknowledged, and found at some units and not at others, or with different content
	Stale      int64 `json:"stale"`
	Unknown    int64 `json:"unknown"`    // acknowledged, and not found, while a unit gave no answer
	Unread     int64 `json:"unread"`     // acknowledged and found, while a unit gave no answer
	Unnamed    int64 `json:"unnamed"`    // acknowledged, without an id to find them by
	Unrecorded int64 `json:"unrecorded"` // beyond the capacity of a ledger, or not in its file, as the disk was full
	Refused    int64 `json:"refused"`    // sent, and not acknowledged, with an id to find them by
	// refused writes that were found: not lost, because they were never acknowledged
	Present int64 `json:"present"`
	// the longest time over which the writes lost to one fault had been acknowledged, as its upper
	// bound: between the writes around them that are there; 0 when none was lost
	RPO       Num        `json:"rpo"`
	RPOLow    Num        `json:"rpo_low"`                      // its lower bound: from the first lost write to the last
	RPOFault  string     `json:"rpo_fault,omitempty" mask:"-"` // the fault that they were lost to
	LostSpans []LostSpan `json:"lost_spans,omitempty"`         // the same for each fault
	// the lost writes by the second of their acknowledgement, and by fault; the first 600
	LostSeconds []LostSecond `json:"lost_seconds,omitempty"`
	// the longest time from the acknowledgement of a late write until it was there, as its lower bound:
	// the last answer without it; 0 when none was late
	LateLow  Num `json:"late_low"`
	LateHigh Num `json:"late_high"` // its upper bound: the first answer with it
	// late writes by fault: those that were acknowledged while it was in
	LateTo map[string]int64 `json:"late_to,omitempty" mask:"-"`
	Reads  *LedgerReads     `json:"reads,omitempty"` // reads during the load; null: none were made
	Asked  Num              `json:"asked"`           // when the reading began
	Took   Num              `json:"took"`            // how long the reading took
	// writes in other states than held, the worst first; all are in ledger.jsonl
	Keys []WriteKey `json:"keys"`
	Left int64      `json:"left,omitempty"` // number of further writes
	// why writes that lost workers made are not in it; empty: it has all writes
	Unreported string `json:"unreported,omitempty"`
	Note       string `json:"note,omitempty"` // why it was not read, or oddities
}

// Wrong counts the writes that are known to be lost, duplicated or stale.
func (l *LedgerRecord) Wrong() int64 { return l.Lost + l.Duplicated + l.Stale }

// Unsure counts the acknowledged writes whose state is not fully known.
func (l *LedgerRecord) Unsure() int64 { return l.Unknown + l.Unread + l.Unnamed + l.Unrecorded }

// LedgerReads are reads during the load: each asks a unit for the latest write that was acknowledged
// before.
type LedgerReads struct {
	Made       int64 `json:"made"`       // reads that were sent
	Unanswered int64 `json:"unanswered"` // of them, had no answer
	Stale      int64 `json:"stale"`      // of them, did not find the write
	First      Num   `json:"first"`      // the first stale read; null: none
	Last       Num   `json:"last"`       // the last stale read; null: none
	// the longest time since its acknowledgement after which a write was not there
	Longest Num              `json:"longest"`
	Units   map[string]int64 `json:"units" mask:"-"`  // stale reads by unit
	Faults  map[string]int64 `json:"faults" mask:"-"` // stale reads by fault that was in; several may be
}

// A LostSpan is the time over which the writes lost to a fault had been acknowledged. Times are
// offsets from t0.
type LostSpan struct {
	Fault  string `json:"fault" mask:"-"` // empty: they were lost to none
	Lost   int64  `json:"lost"`           // number of writes
	First  Num    `json:"first"`          // acknowledgement of the first lost write
	Last   Num    `json:"last"`           // of the last
	Before Num    `json:"before"`         // of the last write before them that is there
	After  Num    `json:"after"`          // of the first write after them that is there
}

// A LostSecond counts the writes that were acknowledged in a second and lost to a fault.
type LostSecond struct {
	T     Num    `json:"t"`              // begin of the second, an offset from t0
	Fault string `json:"fault" mask:"-"` // empty: they were lost to none
	Lost  int64  `json:"lost"`           // number of writes
}

// A WriteKey is one write in another state than held.
type WriteKey struct {
	ID           string         `json:"id" mask:"-"`              // id that it is found by
	State        WriteState     `json:"state"`                    // state of the write
	Acknowledged Num            `json:"acknowledged"`             // null: it was not acknowledged
	Ended        Num            `json:"ended"`                    // when its answer was received, or it was given up
	Age          Num            `json:"age"`                      // of a lost write: from the acknowledgement to its loss
	Fault        string         `json:"fault,omitempty" mask:"-"` // the fault that it was lost to
	Found        map[string]int `json:"found,omitempty" mask:"-"` // how often it was found at each unit; -1 is no answer
	Note         string         `json:"note,omitempty"`           // remarks for readers
}

// WriteState is the state of a write.
type WriteState string

// The states of a write. Where several apply, the first in this list counts.
const (
	WriteLost       WriteState = "lost"
	WriteLate       WriteState = "late"
	WriteDuplicated WriteState = "duplicated"
	WriteStale      WriteState = "stale"
	WriteUnknown    WriteState = "unknown"
	WriteUnread     WriteState = "unread"
	WritePresent    WriteState = "present" // though it was not acknowledged
)

// AllLedgers lists the results of the run's ledgers: one without a name, or several with names.
func (r *Result) AllLedgers() []*LedgerRecord {
	if r.Ledger != nil {
		return append([]*LedgerRecord{r.Ledger}, r.Ledgers...)
	}
	return r.Ledgers
}

// SetLedgers sets the results of the run's ledgers.
func (r *Result) SetLedgers(all []*LedgerRecord) {
	r.Ledger, r.Ledgers = nil, nil
	for _, l := range all {
		if l.Name == "" {
			r.Ledger = l
			continue
		}
		r.Ledgers = append(r.Ledgers, l)
	}
}
