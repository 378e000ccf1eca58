package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
)

// refusedStep is a step of which nothing is in when it can't be injected.
type refusedStep struct{ Step }

func (refusedStep) Inject(context.Context) (Held, error) { return nil, errors.New("no") }

// TestHand_Refused holds that what a hand has refused to inject needs nothing to be taken back.
func TestHand_Refused(t *testing.T) {
	l := &lent{steps: []Step{refusedStep{}}, held: []Held{nil}}
	ask := func(op, step string) (any, error) { return l.do(t.Context(), op, json.RawMessage(step)) }
	if _, err := ask("inject", `{"n":0}`); err == nil {
		t.Error("it is injected")
	}
	said, err := ask("revert", `{"n":0}`)
	if got, _ := said.(handSays); err != nil || got.Outcome != None {
		t.Errorf("%+v, %v; want %s", said, err, None)
	}
	for op, step := range map[string]string{"revert": `{"n":1}`, "verify": `{"n":0}`, "gone": `{"n":0}`} {
		if said, err := ask(op, step); err == nil {
			t.Errorf("%s of %s: %+v, though it is not in", op, step, said)
		}
	}
}
