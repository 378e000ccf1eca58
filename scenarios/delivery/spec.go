package delivery

import (
	"github.com/ohler55/ojg/jp"

	"brunt/scenarios"
	"brunt/scenarios/load"
)

// A Spec is an entry of `deliveries` with its steps resolved.
type Spec struct {
	*scenarios.Delivery
	Sends    []scenarios.Call // the step that sends, in each flow that contains it
	Series   []int32          // by load: the row that measures the delivery; -1: the load does not send
	EachPath jp.Expr          // where messages stand in an answer; nil: the answer is one
	IDPath   jp.Expr          // where a message has its id
	KeyPath  jp.Expr          // where it has its key; nil judges no order
	Ask      *Ask             // how messages are asked for; nil: they are not
}

// An Ask is a question for the messages of a delivery.
type Ask struct {
	Steps  []load.Step // the last one extracts its answer into Answer
	From   []load.Step // asked once, for the place of the last message so far; may be empty
	After  jp.Expr     // where an answer has the places of messages; nil: nowhere
	Answer int         // slot of the variable with the answer
	Place  int         // slot of the variable with the place of the last message; -1: none
}

// Calls lists the calls of the steps.
func (a *Ask) Calls() []scenarios.Call {
	if a == nil {
		return nil
	}
	return append(load.Calls(a.Steps), load.Calls(a.From)...)
}

// last returns the last call of the steps, whose answer has messages.
func (a *Ask) last() scenarios.Call { return a.Steps[len(a.Steps)-1].Call }
