package result

// A ConsistencyRecord says whether reads of registers returned what writes had made of them. Times are offsets from t0.
//
// All reads and writes count, including those of the warm-up. An operation begins when brunt has a connection for it,
// and ends when its answer was received.
type ConsistencyRecord struct {
	Name  string `json:"name" mask:"-"`     // name of the registers
	Write string `json:"write" mask:"word"` // the step that writes
	Read  string `json:"read" mask:"word"`  // the step that reads

	Registers int64 `json:"registers"` // registers that were read or written
	Sessions  int64 `json:"sessions"`  // virtual users that did so
	Reads     int64 `json:"reads"`     // reads that returned a value, or that nothing is there
	Writes    int64 `json:"writes"`    // writes that were acknowledged
	Refused   int64 `json:"refused"`   // writes that were answered that they had no effect
	// writes that were sent and may have had an effect: without an answer, or with an answer that does not say so
	Unknown int64 `json:"unknown"`
	// reads without an answer, or with an answer that has no value; they show nothing, and are left out
	Unanswered int64 `json:"unanswered"`
	// reads and writes of values that are left out, as they may have another writer: that none of these writes wrote, or
	// that were written more than once
	LeftOut int64 `json:"left_out"`
	// reads of values that none of these writes wrote
	Foreign int64 `json:"foreign"`
	// operations beyond the capacity; brunt checks the ones before
	Unrecorded int64 `json:"unrecorded"`

	// registers with compare-and-sets for which the time limit left open whether an order of their operations exists
	Undecided int64 `json:"undecided"`

	// operations that convict: whether there are any decides whether the registers were linearizable
	Anomalies int64         `json:"anomalies"`
	Kinds     []AnomalyKind `json:"kinds"` // the anomalies by kind, the gravest first
	// the least time by which reads would have to begin earlier for the registers to be linearizable, seconds
	Staleness Num           `json:"staleness"`
	Seconds   []StaleSecond `json:"seconds"`   // seconds with stale reads; at most the first 600
	Witnesses []Witness     `json:"witnesses"` // operations that convict, some for each kind
	Took      Num           `json:"took"`      // processor time of the check, seconds
}

// Kinds of anomalies.
const (
	AnomalyDirty       = "dirty_read"         // a read returned the value of a write that was refused
	AnomalyFuture      = "future_read"        // a read returned a value before its write began
	AnomalyLost        = "lost_update"        // an acknowledged write was gone
	AnomalyOverwritten = "overwritten_update" // two compare-and-sets replaced the same value
	// AnomalyDivergent is a read that returned a value that was replaced more than the settle time before, with no fault
	// in for that time, while other reads returned newer ones
	AnomalyDivergent    = "divergent_read"
	AnomalyNonMonotonic = "non_monotonic_read" // a user read an older value than it had read before
	AnomalyStale        = "stale_read"         // a read returned a value that had been replaced before it began
	AnomalyOrder        = "no_order"           // no order of the operations explains the reads
)

// An AnomalyKind counts the anomalies of a kind.
type AnomalyKind struct {
	Kind  string `json:"kind" mask:"-"` // kind of the anomalies
	Count int64  `json:"count"`         // number of anomalies
	First Num    `json:"first"`         // begin of the first operation that convicts
	Last  Num    `json:"last"`          // begin of the last one
	// operations that began while a fault was active, by fault; one may count for several
	Faults map[string]int64 `json:"faults,omitempty" mask:"-"`
}

// A StaleSecond counts the stale reads that began in one second.
type StaleSecond struct {
	T         Num   `json:"t"`         // begin of the second
	Reads     int64 `json:"reads"`     // reads that began in it
	Stale     int64 `json:"stale"`     // stale reads among them
	Staleness Num   `json:"staleness"` // of the stalest of them, seconds
}

// A Witness is a few operations that no register explains.
type Witness struct {
	Kind     string `json:"kind" mask:"-"` // kind of the anomaly
	Register string `json:"register"`      // the register
	// how stale the read was at least; for a lost write, the time from its acknowledgement to the read that shows the
	// loss, seconds; null if the kind has none
	Age    Num      `json:"age"`
	Faults []string `json:"faults,omitempty" mask:"-"` // faults that were active when the convicting operation began
	// the operations in the order of their begins, two to five
	Operations []Operation `json:"operations"`
}

// An Operation is a read or a write of a register.
type Operation struct {
	Session string `json:"session" mask:"-"` // the virtual user: its load and its number
	Write   bool   `json:"write"`            // it is a write
	// acknowledged, refused or unknown, for a write; empty for a read
	Outcome  string `json:"outcome,omitempty" mask:"-"`
	Value    string `json:"value"`              // the value that was written or read
	Nothing  bool   `json:"nothing,omitempty"`  // the read found nothing
	Begin    Num    `json:"begin"`              // when it began
	End      Num    `json:"end"`                // when its answer was received; null if there is none
	Convicts bool   `json:"convicts,omitempty"` // the operation that the others convict
}

// Outcomes of writes of registers.
const (
	WriteAcknowledged = "acknowledged"
	WriteRefused      = "refused"
	WriteUndecided    = "unknown"
)

// Whole reports whether every operation took part in the check, and every register was decided.
func (c *ConsistencyRecord) Whole() bool {
	return c.LeftOut == 0 && c.Unrecorded == 0 && c.Undecided == 0
}

// Good reports whether the check took in every operation, and none convicts.
func (c *ConsistencyRecord) Good() bool { return c.Anomalies == 0 && c.Whole() }

// Shows reports whether there are operations that an anomaly could have shown in: reads, and acknowledged writes.
func (c *ConsistencyRecord) Shows() bool { return c.Reads > 0 && c.Writes > 0 }
