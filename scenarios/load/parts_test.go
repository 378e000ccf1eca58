package load

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
)

// namedCall is a call that is never made.
type namedCall struct{ scenarios.Call }

// counter counts outcomes by their steps.
type counter map[int32]int

func (c counter) Record(o *scenarios.Outcome) { c[o.Step]++ }

// TestRun_EmitTooManyParts: a load records the parts of a call up to a bound in each second, before t0 too, and counts
// those beyond it. The outcomes of the call itself have no bound.
func TestRun_EmitTooManyParts(t *testing.T) {
	const whole, part, more = 1, 2, 7
	var now time.Duration
	got := counter{}
	call := new(namedCall)
	r := &Run{Settings: Settings{
		Now: func() time.Duration { return now }, Shards: 1, Sink: func(int) Sink { return got },
		Flows: []Flow{{Steps: []Step{{Call: call, Index: whole, Parts: []int32{part}}}}},
	}}
	r.steps = stepsOf(r.Flows)
	seconds := []time.Duration{-1500 * time.Millisecond, 0, 1500 * time.Millisecond}
	for _, now = range seconds {
		for range MostParts + more {
			r.Emit(&template.Iter{}, call, 0, new(scenarios.Outcome))
			r.Emit(&template.Iter{}, call, scenarios.WholeCall, new(scenarios.Outcome))
		}
	}
	n := len(seconds)
	if got[part] != n*MostParts || got[whole] != n*(MostParts+more) || r.parts.left.Load() != int64(n*more) {
		t.Errorf("%d parts and %d calls were recorded, %d parts were not", got[part], got[whole], r.parts.left.Load())
	}
}
