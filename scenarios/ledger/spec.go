package ledger

import (
	"net/netip"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/load"
)

// A Spec is a ledger with its steps resolved.
type Spec struct {
	*scenarios.Ledger
	Writes []scenarios.Call // the write step, in each flow that contains it
	Before []load.Step      // steps of a read before the query
	Query  load.Step        // the last step of a read, whose answer says whether the write is there
	Places []Place
	// Others are the other units of the services that writes are read from. They are asked for writes that no place has.
	Others []Place
	Draws  bool // the writes use ${ledger.id}
	Early  bool // the id is known before the request is sent, so that a write without an answer can be read back
	Counts int  // the variable that holds the count; -1 means none
	Values []int
}

// Called returns the name of the ledger in messages.
func (s *Spec) Called() string { return strings.TrimSpace("ledger " + s.Name) }

// Calls returns the calls of a read in their order.
func (s *Spec) Calls() (calls []scenarios.Call) {
	for _, step := range s.Before {
		calls = append(calls, step.Call)
	}
	if s.Query.Call != nil {
		calls = append(calls, s.Query.Call)
	}
	return calls
}

// A Place is where the verification reads every write.
type Place struct {
	Name string // name of a unit or of an endpoint, or the URL itself
	Base string // the URL; empty means the URL of the unit or of the endpoint, once it runs
	// it is one unit of the target, so that two reads ask the same one
	Member bool
	Only   netip.AddrPort // the one to ask, of the addresses that the name of Base leads to; zero means any
}

// Counted is the name of the variable that receives the count of an answer.
const Counted = "ledger-count"
