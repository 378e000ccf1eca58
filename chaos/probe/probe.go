package probe

import (
	"context"
	"errors"
	"reflect"
	"time"

	"brunt/scenarios/syntax"
)

// Probe is an asking, or a command alone: a list, or a text for sh.
type Probe struct{ Asking }

func (p *Probe) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.Map || n.Kind == syntax.Null {
		syntax.Decode(n, &p.Asking, m)
		return
	}
	p.At = n.Pos
	p.Command.DecodeNode(n, m)
}

// AsksEvery is the pause between two attempts of Until.
const AsksEvery = 100 * time.Millisecond

// Until asks until the result is want, or ctx ends. Then the error contains the last answer.
func Until(ctx context.Context, q Question, want bool) (said string, err error) {
	for {
		holds, said, err := q.Ask(ctx)
		if err == nil && holds == want {
			return said, nil
		}
		if err == nil {
			err = errors.New(said)
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(AsksEvery):
		}
	}
}

func (*Probe) SchemaWith(doc syntax.Describer) syntax.Schema {
	forms := (*Command)(nil).Schema()["anyOf"].([]any)
	return syntax.Schema{"anyOf": append(forms, syntax.SchemaOf(reflect.TypeFor[Asking](), doc))}
}
