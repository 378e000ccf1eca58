package delivery

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/template"
	"brunt/targets"
)

// asked is a target whose calls end as the test says. It is client, session and call.
type asked struct {
	targets.Client
	out scenarios.Outcome
}

func (a *asked) Open(int) (targets.Session, error) { return a, nil }
func (*asked) Abort()                              {}
func (*asked) Close() error                        { return nil }
func (*asked) Name() string                        { return "take" }
func (*asked) Traits() scenarios.CallTraits        { return scenarios.CallTraits{Waits: true} }

func (a *asked) Do(_ *template.Iter, _ scenarios.Call, out *scenarios.Outcome) { *out = a.out }

// TestAsker_Timeout: a question that times out says that no message came only if it was sent, so that it sees what
// comes, and if nothing came, which it may have taken.
func TestAsker_Timeout(t *testing.T) {
	for _, c := range []struct {
		name string
		out  scenarios.Outcome
		none bool
	}{
		{"no message", scenarios.Outcome{WasSent: true, Sent: 1}, true},
		{"not sent", scenarios.Outcome{}, false},
		{"a message that was not answered", scenarios.Outcome{WasSent: true, Sent: 1, First: 2}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			on := &asked{out: c.out}
			on.out.Kind, on.out.Cause = scenarios.Error, scenarios.Timeout
			spec := drawnSpec(time.Second)
			spec.Ask = &Ask{Steps: []load.Step{{Call: on}}, Place: -1}
			a := &asker{tracker: newTracker(spec, nil), stop: make(chan struct{})}
			close(a.stop) // no further question
			err := a.Connect(t.Context(), &Host{
				Client: func(context.Context, []scenarios.Call, time.Time) (
					targets.Client, func(targets.Session, *template.Iter), error,
				) {
					return on, nil, nil
				},
				Vars: make([]template.Value, 1), Rand: func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
				Absent: func(scenarios.Call, *scenarios.Outcome) bool { return false },
				Cause:  scenarios.Cause.String,
			})
			a.asks.Wait()
			if c.none != (err == nil) || err != nil && !strings.Contains(err.Error(), "asking for messages: take: timeout") {
				t.Error(err)
			}
		})
	}
}
