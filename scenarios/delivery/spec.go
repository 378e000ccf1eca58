package delivery

import (
	"github.com/ohler55/ojg/jp"

	"brunt/scenarios"
)

// A Spec is an entry of `deliveries` with its steps resolved.
type Spec struct {
	*scenarios.Delivery
	Sends   []scenarios.Call // the step that sends, in each flow that contains it
	Series  []int32          // by load: the row that measures the delivery; -1: the load does not send
	IDPath  jp.Expr          // where a message has its id
	KeyPath jp.Expr          // where it has its key; nil judges no order
}
