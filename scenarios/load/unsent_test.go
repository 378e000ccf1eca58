package load

import (
	"testing"
	"time"

	"brunt/scenarios"
)

// recorded keeps outcomes.
type recorded []scenarios.Outcome

func (r *recorded) Record(o *scenarios.Outcome) { *r = append(*r, *o) }

// TestRun_Unsent: a request whose timeout passed before brunt was ready is an error of brunt's own,
// with its whole lag, and so are the steps after it. One that waited for the target is a timeout, and
// the steps after it carry its cause and its lag, from which the recorder tells whose timeout it was.
func TestRun_Unsent(t *testing.T) {
	const timeout = 300 * time.Millisecond
	flow := &Flow{Steps: []Step{{Call: call("get"), Index: 0}, {Call: call("get"), Index: 1}}}
	for _, c := range []struct {
		name  string
		ready time.Duration
		cause scenarios.Cause
		lag   time.Duration
	}{
		{"brunt was late", 420 * time.Millisecond, scenarios.Unsent, 420 * time.Millisecond},
		{"brunt was late for some of it", 40 * time.Millisecond, scenarios.Timeout, 40 * time.Millisecond},
		{"no slot was free", time.Millisecond, scenarios.Timeout, time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got recorded
			(&Run{}).lost(&got, flow, time.Second, time.Second+c.ready, time.Second+timeout, scenarios.Timeout)
			if len(got) != 3 || got[0].Cause != c.cause || got[0].Lag() != c.lag || got[2].Cause != c.cause {
				t.Fatalf("recorded %+v", got)
			}
			if got[1].Kind != scenarios.Skipped || got[1].Cause != c.cause || got[1].Lag() != c.lag {
				t.Errorf("the step after it: %+v", got[1])
			}
		})
	}
}

// TestRun_UnsentByLateUser: the same where a virtual user took the arrival.
func TestRun_UnsentByLateUser(t *testing.T) {
	o := scenarios.Outcome{
		Kind: scenarios.Error, Cause: scenarios.Timeout, Intended: 0, Ready: 420 * time.Millisecond,
		End: 300 * time.Millisecond,
	}
	neverReady(&o)
	if o.Cause != scenarios.Unsent || o.Lag() != 420*time.Millisecond {
		t.Errorf("%+v", o)
	}
	late := scenarios.Outcome{
		Kind: scenarios.Error, Cause: scenarios.Refused, Ready: 420 * time.Millisecond, End: 300 * time.Millisecond,
	}
	if neverReady(&late); late.Cause != scenarios.Refused || late.Lag() != 300*time.Millisecond {
		t.Errorf("%+v", late)
	}
}
