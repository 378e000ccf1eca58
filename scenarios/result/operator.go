package result

import (
	"math"
	"slices"
	"time"
)

// A MarkKind is what a person at the run says about a fault.
type MarkKind string

// The kinds of marks. The events of a run have them as operator.seen and so on, and [Continued] as operator.continued.
const (
	Continued  MarkKind = "continue"   // the fault that waits for an operator goes on
	Seen       MarkKind = "seen"       // the person has noticed the harm
	Understood MarkKind = "understood" // the person knows the cause, and what to do
	Acted      MarkKind = "acted"      // the person has done it
)

// MarkKinds lists the marks of a fault that is in or recovering, in the order of an incident.
func MarkKinds() []MarkKind { return []MarkKind{Seen, Understood, Acted} }

// Event returns the kind of the event that records the mark.
func (k MarkKind) Event() string {
	if k == Continued {
		return "operator.continued"
	}
	return "operator." + string(k)
}

// ByData is the key of the person's name in the data of an event operator.* that a person caused.
const ByData = "by"

// A Mark says when a person said something, and who.
type Mark struct {
	At Num    `json:"at"`           // offset from t0
	By string `json:"by,omitempty"` // name that the person gave; it proves nothing
}

// An OperatorRecord says what people at the run did about a fault.
type OperatorRecord struct {
	// when the fault began to wait for an operator, an offset from t0; null if it did not wait
	Asked      Num   `json:"asked"`
	AtMost     Num   `json:"at_most"`              // how long it would have waited, in seconds; null if it did not wait
	Continued  *Mark `json:"continued,omitempty"`  // who ended the wait; absent if it ran out
	Seen       *Mark `json:"seen,omitempty"`       // first mark that the harm was noticed
	Understood *Mark `json:"understood,omitempty"` // first mark that the cause was known
	Acted      *Mark `json:"acted,omitempty"`      // first mark that something was done
	// the time from the injection to recovery, split by the marks; absent if the fault was not injected
	Split *Split `json:"split,omitempty"`
}

// A Split divides the time from the injection of a fault to recovery among people and the machine, in seconds. A part
// is null if one of its ends has no mark, or if its ends come in the other order; a null part is unknown, not zero.
// Recover, total and machine are null, too, if the target did not recover
// (impact says so) or was not harmed.
type Split struct {
	Detect  Num `json:"detect"`  // from the injection to the mark seen
	Decide  Num `json:"decide"`  // from seen to understood
	Act     Num `json:"act"`     // from understood to acted
	Recover Num `json:"recover"` // from acted to recovery
	Total   Num `json:"total"`   // from the injection to recovery
	// the part of total after the last action of people: recover. Detect is not in it, though the team's monitoring
	// may have made a part of that: see `detect` and `alerts` of the fault
	Machine Num `json:"machine"`
}

// Mark returns the first mark of a kind; nil if there is none.
func (o *OperatorRecord) Mark(k MarkKind) *Mark {
	if o == nil {
		return nil
	}
	if at := o.at(k); at != nil {
		return *at
	}
	return nil
}

// When returns the time of the first mark of a kind; NaN without one.
func (o *OperatorRecord) When(k MarkKind) Num {
	if m := o.Mark(k); m != nil {
		return m.At
	}
	return NaN
}

func (o *OperatorRecord) at(k MarkKind) **Mark {
	switch k {
	case Continued:
		return &o.Continued
	case Seen:
		return &o.Seen
	case Understood:
		return &o.Understood
	case Acted:
		return &o.Acted
	}
	return nil
}

// Add records a mark. It returns false if there is an earlier one of the kind, which stays.
func (o *OperatorRecord) Add(k MarkKind, m Mark) bool {
	at := o.at(k)
	if at == nil || *at != nil {
		return false
	}
	*at = &m
	return true
}

// Parts returns the parts of the split, by name, in the order of an incident.
func (s *Split) Parts() []SplitPart {
	return []SplitPart{{"detect", s.Detect}, {"decide", s.Decide}, {"act", s.Act}, {"recover", s.Recover}}
}

// A SplitPart is a named part of a [Split], in seconds.
type SplitPart struct {
	Name string
	Took Num
}

// SplitTime divides the time of a fault by the marks of people.
func (f *FaultRecord) SplitTime() *Split {
	o := f.Operator
	if o == nil || !f.Injected.Known() {
		return nil
	}
	between := func(from, to Num) Num {
		if to >= from { // false if one is unknown
			return to - from
		}
		return NaN
	}
	over := NaN
	if f.OnsetAt.Known() {
		over = f.RecoveredAt
		if f.Impact == NotRecovered {
			over = Num(math.Inf(1))
		}
	}
	seen, understood, acted := o.When(Seen), o.When(Understood), o.When(Acted)
	s := &Split{
		Detect: between(f.Injected, seen), Decide: between(seen, understood), Act: between(understood, acted),
		Recover: between(acted, over), Total: between(f.Injected, over),
	}
	s.Machine = s.Recover
	return s
}

// Stretches divides the time from the injection to recovery at the marks that exist. A stretch between marks that are
// not next to each other has the names of all its parts, since where one ends is unknown. It is nil without a
// mark, and if the marks are out of order.
func (f *FaultRecord) Stretches() (out []SplitPart) {
	o := f.Operator
	if o == nil || o.Split == nil || !o.Split.Total.Known() {
		return nil
	}
	at := []Num{f.Injected, o.When(Seen), o.When(Understood), o.When(Acted), f.Injected + o.Split.Total}
	parts := o.Split.Parts()
	from, name := 0, ""
	for i := 1; i < len(at); i++ {
		if name != "" {
			name += " + "
		}
		name += parts[i-1].Name
		if !at[i].Known() {
			continue
		}
		took := at[i] - at[from]
		if took < 0 {
			return nil
		}
		out = append(out, SplitPart{name, took})
		from, name = i, ""
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// A WaitingFault is a fault that waits for an operator, in a run in progress. Times are offsets from t0.
type WaitingFault struct {
	Name  string `mask:"-"`
	From  time.Duration
	Until time.Duration // when the wait ends without an operator
}

// A MarkedFault is an injected occurrence of a fault in a run in progress, with the marks of people.
type MarkedFault struct {
	Name  string     `mask:"-"`
	In    bool       // it is in
	Marks []MarkKind // the marks that it has, in the order of an incident
}

// Has reports whether the occurrence has a mark.
func (f *MarkedFault) Has(k MarkKind) bool { return slices.Contains(f.Marks, k) }
