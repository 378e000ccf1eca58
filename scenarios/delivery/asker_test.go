package delivery

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/quantity"
	"brunt/scenarios/template"
	"brunt/targets"
)

// asked is a target whose calls end as the test says. It is client, session and call.
type asked struct {
	targets.Client
	out   scenarios.Outcome
	queue int // how many questions take a message before one ends so
	is    scenarios.CallTraits
}

func (a *asked) Open(int) (targets.Session, error) { return a, nil }
func (*asked) Abort()                              {}
func (*asked) Spoken() targets.Spoken              { return targets.Spoken{} }
func (*asked) Close() error                        { return nil }
func (*asked) Name() string                        { return "take" }
func (a *asked) Traits() scenarios.CallTraits      { return a.is }

func (a *asked) Do(_ *template.Iter, _ scenarios.Call, out *scenarios.Outcome) {
	if *out = a.out; a.queue > 0 {
		a.queue--
		out.Kind, out.Cause, out.Answered = scenarios.OK, scenarios.NoCause, true
	}
}

// host is a host on which a is asked.
func (a *asked) host() *Host {
	return &Host{
		Client: func(context.Context, []scenarios.Call, time.Time) (
			targets.Client, func(targets.Session, *template.Iter), error,
		) {
			return a, nil, nil
		},
		Vars: make([]template.Value, 1), Rand: func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
		Absent: func(scenarios.Call, *scenarios.Outcome) bool { return false },
		Cause:  scenarios.Cause.String,
	}
}

// TestAsker_More: a step that takes one message is asked again at once while there is one, also after the settle time.
func TestAsker_More(t *testing.T) {
	on := &asked{is: scenarios.CallTraits{Waits: true}, queue: 5, out: scenarios.Outcome{
		Kind: scenarios.Error, Cause: scenarios.Timeout, WasSent: true, Sent: 1,
	}}
	spec := drawnSpec(time.Second)
	spec.Seen.Every = quantity.Duration(time.Hour)
	spec.Ask = &Ask{Steps: []load.Step{{Call: on}}, Place: -1}
	tr := newTracker(spec, nil)
	set := &Set{trackers: []*tracker{tr}, now: func() time.Duration { return 0 }}
	a := &asker{set: set, tracker: tr, stop: make(chan struct{})}
	if err := a.Connect(t.Context(), on.host()); err != nil {
		t.Fatal(err)
	}
	a.Settle(t.Context())
	if on.queue > 0 {
		t.Errorf("%d messages were left", on.queue)
	}
}

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
			on := &asked{is: scenarios.CallTraits{Waits: true}, out: c.out}
			on.out.Kind, on.out.Cause = scenarios.Error, scenarios.Timeout
			spec := drawnSpec(time.Second)
			spec.Ask = &Ask{Steps: []load.Step{{Call: on}}, Place: -1}
			a := &asker{tracker: newTracker(spec, nil), stop: make(chan struct{})}
			close(a.stop) // no further question
			err := a.Connect(t.Context(), on.host())
			a.asks.Wait()
			if c.none != (err == nil) || err != nil && !strings.Contains(err.Error(), "asking for messages: take: timeout") {
				t.Error(err)
			}
		})
	}
}
