package measure

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure/measuretest"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

const (
	okay    = scenarios.OK
	shed    = scenarios.Shed
	failure = scenarios.Error
	skipped = scenarios.Skipped
)

// clocked is a recorder on a clock that the test sets.
type clocked struct {
	*Recorder
	now      time.Duration
	inFlight func() int64 // nil: no iteration is in flight
}

// oneStep is a load of one step.
var oneStep = Series{Loads: []SeriesLoad{{Name: "browse"}}, Steps: []SeriesStep{{Name: "read"}}}

// newClocked makes a recorder and fills in what the configuration leaves open.
func newClocked(t testing.TB, c Config) *clocked {
	t.Helper()
	g := &clocked{}
	c.Timeout, c.Shards, c.Dir, c.NoPause = 10*sec, 2, t.TempDir(), true
	c.Now = func() time.Duration { return g.now }
	c.InFlight = func() int64 {
		if g.inFlight == nil {
			return 0
		}
		return g.inFlight()
	}
	rec, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rec.Close() })
	g.Recorder = rec
	return g
}

// What the tests record.
var request, iteration = measuretest.Request, measuretest.Iteration
