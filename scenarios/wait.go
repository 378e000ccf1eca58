package scenarios

import (
	"reflect"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Wait is the time between the moment at which a fault is due and its injection: a duration, or, as a map, the time
// until an operator continues it.
type Wait struct {
	syntax.Place
	By quantity.Duration `yaml:"-"`
	// operator: until a person continues the fault, by the button of the live page or by `brunt note --continue FAULT`
	For string `yaml:"for,required,oneof=operator"`
	// how long it waits for the operator. After that, the fault and those that follow it are skipped, and the run is
	// inconclusive
	AtMost quantity.Duration `yaml:"at_most,required,positive"`
}

// plainWait is [Wait] without DecodeNode, for decoding key by key.
type plainWait Wait

func (w *Wait) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.Map {
		syntax.Decode(n, (*plainWait)(w), m)
		return
	}
	if n.Kind == syntax.String && n.Value == "operator" {
		m.AddHint(n.Pos, "wait: {for: operator, at_most: 10m}", "a wait for an operator says how long it lasts at most")
		return
	}
	w.By.DecodeNode(n, m)
}

// SchemaWith implements [syntax.DescribedSchemer]: a duration, or a map.
func (*Wait) SchemaWith(doc syntax.Describer) syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.SchemaOf(reflect.TypeFor[*quantity.Duration](), doc),
		syntax.StructSchema(reflect.TypeFor[Wait](), doc),
	}}
}

// D returns the duration of the wait; zero if it is for an operator.
func (w Wait) D() time.Duration { return w.By.D() }

// ForOperator reports whether the fault waits until an operator continues it.
func (w Wait) ForOperator() bool { return w.For == "operator" }
