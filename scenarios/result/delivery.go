package result

// A DeliveryRecord says what became of the messages of an entry of `deliveries`: what a step sent had to be seen
// elsewhere. Times are offsets from t0.
//
// Messages are counted over the whole run, including the warm-up, and looked for until the settle time after the load
// has passed.
type DeliveryRecord struct {
	Name   string `json:"name" mask:"-"`    // the name under `deliveries`
	Sent   string `json:"sent" mask:"word"` // the step that sends
	Seen   string `json:"seen" mask:"-"`    // where brunt saw messages
	Within Num    `json:"within"`           // how long after its due time a message must be seen, seconds
	// brunt looked on until the settle time had passed; otherwise acknowledged messages that were not seen are
	// unknown
	Settled      bool  `json:"settled"`
	Acknowledged int64 `json:"acknowledged"` // requests with an answer that counts as an acknowledgement
	// acknowledged, and seen once, in time and in order
	Held       int64 `json:"held"`
	Late       int64 `json:"late"`       // acknowledged, and seen only after `within`
	Lost       int64 `json:"lost"`       // acknowledged, and never seen
	Duplicated int64 `json:"duplicated"` // seen more than once, acknowledged or not
	// seen more than once, the second time marked by its source as given again, or after a question that failed: the
	// source may have lost an acknowledgement of brunt's, and have given it one message twice
	Again int64 `json:"again,omitempty"`
	// acknowledged before another request with the same key was sent, and seen after that one
	Reordered int64 `json:"reordered"`
	Refused   int64 `json:"refused"`   // sent, and not acknowledged
	Present   int64 `json:"present"`   // refused, and seen nevertheless, which breaks no promise
	Unknown   int64 `json:"unknown"`   // acknowledged, not seen, and brunt did not look on until the end of its time
	Unnamed   int64 `json:"unnamed"`   // acknowledged, without an id to know them by
	Sightings int64 `json:"sightings"` // messages seen, with an id of this delivery
	Foreign   int64 `json:"foreign"`   // messages seen with an id that no request of the delivery has
	// messages seen without a readable id: each of them may be one that counts as lost
	Unreadable int64 `json:"unreadable"`
	// messages whose order is unknown, as they had no key, or there were too many
	Unkeyed int64 `json:"unkeyed,omitempty"`
	Ordered bool  `json:"ordered"` // the order is judged: the delivery has a key
	// by which instants of sightings may be wrong, because of polling, seconds; 0 for sources that report by
	// themselves
	Resolution Num `json:"resolution"`
	// p99 of the time by which brunt itself was late to read, seconds
	ReaderLag Num `json:"reader_lag"`
	// questions with which brunt asked for messages during the run
	Questions int64 `json:"questions,omitempty"`
	Failed    int64 `json:"failed,omitempty"` // of these, those without an answer
	// why the last of them had none
	FailedBecause string `json:"failed_because,omitempty"`
	// messages that were sent until this time and not seen count as unknown, because they may have come while brunt
	// could not ask, or before an answer named them, when too many of foreign ids came; 0 if there was no such time
	Blind Num `json:"blind,omitzero"`
	// number of lost messages by fault, where one fault alone explains them
	LostTo map[string]int64 `json:"lost_to,omitempty" mask:"-"`
	// the lost messages by the fault, or the faults of which one lost them; before and after are null. It is empty if
	// each of them may be one of unreadable
	LostSpans []LostSpan `json:"lost_spans,omitempty"`
	// messages that are not held, the worst first; deliveries.jsonl has all of them
	Keys []DeliveryKey `json:"keys"`
	Left int64         `json:"left,omitempty"` // number of such messages that keys leaves out
	// number of such messages beyond the capacity of deliveries.jsonl; their order is not judged if they are seen
	// late
	Unlisted int64 `json:"unlisted,omitempty"`
	// why lost messages are attributed to no fault, although some were lost during one; empty if they are
	Because Notes `json:"because,omitempty"`
}

// Wrong counts the findings that break a promise.
func (d *DeliveryRecord) Wrong() int64 { return d.Lost + d.Duplicated + d.Reordered }

// SurelyLost counts the lost messages of which none may be one that was seen without a readable id.
func (d *DeliveryRecord) SurelyLost() int64 { return max(0, d.Lost-d.Unreadable) }

// Unsure counts the acknowledged messages of which brunt does not know what became of them.
func (d *DeliveryRecord) Unsure() int64 { return d.Unknown + d.Unnamed }

// A DeliveryKey is one message that is not held.
type DeliveryKey struct {
	Delivery string        `json:"delivery" mask:"-"` // the name under `deliveries`
	ID       string        `json:"id" mask:"-"`       // id of the message
	State    DeliveryState `json:"state"`             // the first state of [DeliveryStates] that applies
	Due      Num           `json:"due"`               // when its request was due
	// time of its acknowledgement; null means that it was not acknowledged
	Acknowledged Num    `json:"acknowledged"`
	Seen         Num    `json:"seen"`                     // when it was seen first; null means never
	Sightings    int64  `json:"sightings"`                // how often it was seen
	Fault        string `json:"fault,omitempty" mask:"-"` // the fault that it was lost to, if it is known which
	// the faults of which one lost it, if it is unknown which
	Faults []string `json:"faults,omitempty" mask:"-"`
}

// DeliveryState is the state of a message of a delivery.
type DeliveryState string

// The states of a message. If several apply, the first in this list counts.
const (
	DeliveryLost       DeliveryState = "lost"
	DeliveryDuplicated DeliveryState = "duplicated"
	DeliveryReordered  DeliveryState = "reordered"
	DeliveryLate       DeliveryState = "late"
	DeliveryUnknown    DeliveryState = "unknown"
	DeliveryPresent    DeliveryState = "present" // seen, although it was not acknowledged
)

// DeliveryStates lists the states, the worst first.
func DeliveryStates() []DeliveryState {
	return []DeliveryState{
		DeliveryLost, DeliveryDuplicated, DeliveryReordered, DeliveryLate, DeliveryUnknown, DeliveryPresent,
	}
}

// SentFile is the file beside deliveries.jsonl in which a run keeps what its messages met, until its end.
const SentFile = "deliveries-sent.jsonl"

// A DeliveryEvent is a line of [SentFile]: what a message met.
type DeliveryEvent struct {
	Delivery string            `json:"delivery"` // the name under `deliveries`
	N        uint64            `json:"n"`        // number of the message among those of the delivery
	Is       DeliveryEventKind `json:"is"`
	T        Num               `json:"t"`            // when, an offset from t0
	ID       string            `json:"id,omitempty"` // id of the message, once: in its first line
}

// DeliveryEventKind names what a message met.
type DeliveryEventKind string

// What a message may meet, in any order. The sending of a message whose id the target gives is not known before its
// acknowledgement.
const (
	DeliverySent         DeliveryEventKind = "sent"
	DeliveryAcknowledged DeliveryEventKind = "acknowledged"
	DeliveryRefused      DeliveryEventKind = "refused" // answered without an acknowledgement, or not answered in time
	DeliverySeen         DeliveryEventKind = "seen"    // for the first time
	DeliveryLogFull      DeliveryEventKind = "full"    // no further line follows
)
