package result

import "time"

// A LedgerRecord is the result of a run's ledger. Times are offsets from t0.
//
// Writes are counted over the whole run, including the warm-up. They are read back after the load, when all faults
// are reverted and the settle time has passed. Writes that are not there are read again until the time limit of the
// reading.
type LedgerRecord struct {
	Name         string   `json:"name,omitempty" mask:"-"` // name of the ledger, if the scenario has several
	Write        string   `json:"write" mask:"word"`       // the step that writes
	Units        []string `json:"units" mask:"-"`          // units from which every write was read back
	Read         bool     `json:"read"`                    // writes were read back; if not, note says why
	Acknowledged int64    `json:"acknowledged"`            // writes with an answer that counts as an acknowledgement
	// acknowledged, and found once at every unit with the same content
	Held int64 `json:"held"`
	// acknowledged, not found at first, and found at every unit when read again
	Late int64 `json:"late"`
	Lost int64 `json:"lost"` // acknowledged, and found at no unit
	// acknowledged, and found at other units of the service alone, which the target's clients do not read from
	Elsewhere int64 `json:"elsewhere,omitempty"`
	// the other units that were asked for writes which are missing, and answered
	Others     []string `json:"others,omitempty" mask:"-"`
	Holders    []string `json:"holders,omitempty" mask:"-"` // those of them that have such writes
	Duplicated int64    `json:"duplicated"`                 // found more than once at a unit, acknowledged or not
	// acknowledged, and found at some units and not at others, or with different content
	Stale   int64 `json:"stale"`
	Unknown int64 `json:"unknown"` // acknowledged, and not found, while a unit gave no answer
	Unread  int64 `json:"unread"`  // acknowledged and found, while a unit gave no answer
	Unnamed int64 `json:"unnamed"` // acknowledged, without an id to find them by
	// writes beyond the capacity of a ledger, or missing in its file because the disk was full
	Unrecorded int64 `json:"unrecorded"`
	Refused    int64 `json:"refused"` // sent, and not acknowledged, with an id to find them by
	// refused writes that were found nevertheless, which breaks no promise
	Present int64 `json:"present"`
	// the longest span of acknowledgements of writes lost to one fault, seconds. This is its upper bound: the time from
	// the surviving write before the lost ones to the first attempt after them that was not acknowledged, or to the
	// next surviving write; 0 if none was lost
	RPO Num `json:"rpo"`
	// lower bound of rpo: from the first lost write to the last
	RPOLow   Num    `json:"rpo_low"`
	RPOFault string `json:"rpo_fault,omitempty" mask:"-"` // the fault of rpo, if no other may have lost its writes
	// these spans for each fault, and for each set of faults of which one lost the writes and it is unknown which
	LostSpans []LostSpan `json:"lost_spans,omitempty"`
	// readings between faults, which tell the losses to one fault from the losses to another
	ReadBacks []ReadBack `json:"read_backs,omitempty"`
	// number of lost writes by second of acknowledgement and by fault; at most the first 600 entries
	LostSeconds []LostSecond `json:"lost_seconds,omitempty"`
	// the longest time from the acknowledgement of a late write until it was there, seconds. This is its lower bound:
	// until the last answer without the write; 0 if none was late
	LateLow  Num `json:"late_low"`
	LateHigh Num `json:"late_high"` // upper bound of the same: until the first answer with the write
	// number of late writes by fault, of writes acknowledged while it was active
	LateTo map[string]int64 `json:"late_to,omitempty" mask:"-"`
	Reads  *LedgerReads     `json:"reads,omitempty"` // reads during the load; null if none were made
	Asked  Num              `json:"asked"`           // when the reading began, an offset from t0
	Took   Num              `json:"took"`            // how long the reading took, seconds
	// writes that are not held, the worst first; ledger.jsonl has all of them
	Keys []WriteKey `json:"keys"`
	Left int64      `json:"left,omitempty"` // number of such writes that keys leaves out
	// why writes of lost workers are missing here; empty if all writes are here
	Unreported string `json:"unreported,omitempty"`
	Note       string `json:"note,omitempty"` // why writes were not read back, or remarks
	// why it is unknown to which of several faults writes were lost; empty if it is known
	Because Notes `json:"because,omitempty"`
}

// Wrong counts the writes that are known to be lost, duplicated or stale.
func (l *LedgerRecord) Wrong() int64 { return l.Lost + l.Duplicated + l.Stale }

// Unsure counts the acknowledged writes whose state is not fully known. It is not known whether a write that is
// elsewhere will stay there or be read from there.
func (l *LedgerRecord) Unsure() int64 {
	return l.Unknown + l.Unread + l.Unnamed + l.Unrecorded + l.Elsewhere
}

// Good reports whether every acknowledged write is known to be there as it was written, and was there for each read
// during the load.
func (l *LedgerRecord) Good() bool {
	return l.Read && l.Wrong()+l.Unsure() == 0 && l.Unreported == "" && (l.Reads == nil || l.Reads.Stale == 0)
}

// LedgerReads counts the reads during the load. Each reads the latest acknowledged write from a unit.
type LedgerReads struct {
	Made       int64 `json:"made"`       // reads that were sent
	Unanswered int64 `json:"unanswered"` // reads without an answer
	Stale      int64 `json:"stale"`      // reads that did not find the write
	First      Num   `json:"first"`      // time of the first stale read; null if there was none
	Last       Num   `json:"last"`       // time of the last stale read; null if there was none
	// the longest time after its acknowledgement at which a write was not found, seconds
	Longest Num              `json:"longest"`
	Units   map[string]int64 `json:"units" mask:"-"`  // stale reads by unit
	Faults  map[string]int64 `json:"faults" mask:"-"` // stale reads by active fault; a read may count for several
}

// A ReadBack is a reading of writes between two faults, or before the first one, while the load runs. A write that it
// found was not lost to the faults before it; a write that it did not find, though the write should have been there,
// was not lost to the faults after it. Times are offsets from t0.
type ReadBack struct {
	After    string `json:"after" mask:"-"`  // the fault that was cleared last before it; empty if there was none
	Before   string `json:"before" mask:"-"` // the fault that was due next
	At       Num    `json:"at"`              // when it began; null if there was no time for it
	Took     Num    `json:"took"`            // how long it took, seconds
	Writes   int64  `json:"writes"`          // writes that the ledger had recorded by then
	Asked    int64  `json:"asked"`           // writes that were read, chosen at random if there was no time for all
	Found    int64  `json:"found"`           // writes that were found at a unit
	Absent   int64  `json:"absent"`          // writes that no unit had
	Untimely int64  `json:"untimely"`        // writes of absent that were younger than the ledger's settle time
}

// A LostSpan is the span of acknowledgements of the writes, or of the messages of a delivery, lost to a fault, or to
// one of several faults. Times are offsets from t0.
type LostSpan struct {
	// fault that is shown to have lost the writes; empty if no fault did, or if it is not shown which
	Fault string `json:"fault" mask:"-"`
	// the faults of which one lost the writes, if it is unknown which; empty if fault says it, or if no fault did. If it
	// is one fault, nothing shows that it did
	Faults []string `json:"faults,omitempty" mask:"-"`
	Lost   int64    `json:"lost"`   // number of writes
	First  Num      `json:"first"`  // acknowledgement of the first lost write
	Last   Num      `json:"last"`   // acknowledgement of the last lost write
	Before Num      `json:"before"` // acknowledgement of the last surviving write before them
	// the first attempt after them failed by then, or the next surviving write was acknowledged
	After Num `json:"after"`
}

// A LostSecond counts the writes that were acknowledged in one second and lost to a fault, or to one of several
// faults.
type LostSecond struct {
	T      Num      `json:"t"`                         // begin of the second, an offset from t0
	Fault  string   `json:"fault" mask:"-"`            // as in LostSpan
	Faults []string `json:"faults,omitempty" mask:"-"` // as in LostSpan
	Lost   int64    `json:"lost"`                      // number of writes
}

// A WriteKey is one write that is not held.
type WriteKey struct {
	ID    string     `json:"id" mask:"-"` // id of the write
	State WriteState `json:"state"`       // state of the write
	// time of its acknowledgement; null means that it was not acknowledged
	Acknowledged Num `json:"acknowledged"`
	// when its answer was received, or the request was given up
	Ended Num `json:"ended"`
	// for a lost write: seconds from the acknowledgement to the loss
	Age   Num    `json:"age"`
	Fault string `json:"fault,omitempty" mask:"-"` // the fault that it was lost to, if it is known which
	// the faults of which one lost it, if it is unknown which
	Faults []string `json:"faults,omitempty" mask:"-"`
	// how often it was found at each unit; -1 means no answer
	Found map[string]int `json:"found,omitempty" mask:"-"`
	Note  string         `json:"note,omitempty"` // remarks for readers
}

// An AcknowledgedWrite is a line of ledger-acknowledged.jsonl, which lists every acknowledged write that has an id.
type AcknowledgedWrite struct {
	ID           string     `json:"id" mask:"-"`
	Acknowledged Num        `json:"acknowledged"` // when it was acknowledged, an offset from t0
	Time         time.Time  `json:"time"`         // the same as a time of this machine's clock, in UTC
	State        WriteState `json:"state"`        // held, or another state of an acknowledged write
	// some unit had it; false means that it is lost, and nil that this is unknown
	Found  *bool    `json:"found"`
	Fault  string   `json:"fault,omitempty" mask:"-"`
	Faults []string `json:"faults,omitempty" mask:"-"` // as in WriteKey
}

// WriteState is the state of a write.
type WriteState string

// WriteHeld is the state of an acknowledged write that is there once at every unit, with the same content.
const WriteHeld WriteState = "held"

// The states of a write. If several apply, the first in this list counts.
const (
	WriteLost       WriteState = "lost"
	WriteElsewhere  WriteState = "elsewhere" // found, but not where the target's clients read
	WriteLate       WriteState = "late"
	WriteDuplicated WriteState = "duplicated"
	WriteStale      WriteState = "stale"
	WriteUnknown    WriteState = "unknown"
	WriteUnread     WriteState = "unread"
	WritePresent    WriteState = "present" // found, although it was not acknowledged
)

// AllLedgers lists the results of all ledgers of the run, with or without a name.
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
