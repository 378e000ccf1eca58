package judge_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/measuretest"
	"brunt/scenarios/result"
	"brunt/scenarios/run/casefile"
	"brunt/scenarios/slo"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// A fixture is a recorder on a clock that the test sets.
type fixture struct {
	*measure.Recorder
	t         testing.TB
	now       time.Duration
	inFlight  func() int64 // nil: no iteration is in flight
	interim   judge.Interim
	series    measure.Series
	recording *measure.Recording // set once finished
}

// oneStep is a load of one step.
var oneStep = measure.Series{Loads: []measure.SeriesLoad{{Name: "browse"}}, Steps: []measure.SeriesStep{{Name: "read"}}}

func newFixture(t testing.TB, s measure.Series, slo ...slo.Objective) *fixture {
	t.Helper()
	return newFixtureWith(t, measure.Config{Series: s}, slo...)
}

// newFixtureWith fills in what the configuration leaves open.
func newFixtureWith(t testing.TB, c measure.Config, slo ...slo.Objective) *fixture {
	t.Helper()
	r := &fixture{t: t, series: c.Series}
	c.Limits, c.Totals = requests.LimitsOf(slo), judge.CountedPhases(slo)
	c.Timeout, c.Shards, c.Dir, c.NoPause = cmp.Or(c.Timeout, 10*sec), 2, t.TempDir(), true
	c.Now = func() time.Duration { return r.now }
	c.InFlight = func() int64 {
		if r.inFlight == nil {
			return 0
		}
		return r.inFlight()
	}
	rec, err := measure.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rec.Close() })
	r.Recorder = rec
	return r
}

// parseObjectives parses objectives.
func parseObjectives(t testing.TB, texts ...string) []slo.Objective {
	t.Helper()
	var out []slo.Objective
	for _, s := range texts {
		o, err := slo.ParseObjective(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}

// What the tests record.
var request, iteration = measuretest.Request, measuretest.Iteration

// An action is something that happens to the fixture at a time.
type action struct {
	at time.Duration
	do func()
}

// play records outcomes when they end, folds five times a second, and does each action at its time.
// It returns when all is done.
func (r *fixture) play(outcomes []scenarios.Outcome, actions ...action) {
	r.t.Helper()
	slices.SortStableFunc(outcomes, func(a, b scenarios.Outcome) int { return cmp.Compare(a.End, b.End) })
	end := time.Duration(0)
	for i := range outcomes {
		end = max(end, outcomes[i].End)
	}
	for _, a := range actions {
		end = max(end, a.at)
	}
	rnd := rand.New(rand.NewPCG(1, uint64(len(outcomes))))
	fold := func() {
		if err := r.Fold(); err != nil {
			r.t.Fatal(err)
		}
	}
	for t := r.now; t <= end+200*ms; t += 200 * ms {
		actions = append(actions, action{t, fold})
	}
	slices.SortStableFunc(actions, func(a, b action) int { return cmp.Compare(a.at, b.at) })
	next := 0
	for _, a := range actions {
		for ; next < len(outcomes) && outcomes[next].End <= a.at; next++ {
			r.Shard(rnd.IntN(2)).Record(&outcomes[next])
		}
		r.now = a.at
		a.do()
	}
}

// finish returns the findings of a load that ran from 0 to end.
func (r *fixture) finish(c judge.Case, end time.Duration) *judge.Findings {
	r.t.Helper()
	if c.Loads == nil {
		for range r.series.Loads {
			c.Loads = append(c.Loads, requests.Span{From: 0, To: end})
		}
	}
	r.recording = r.Finish()
	f, err := judge.Judge(r.recording, c)
	if err == nil && casefile.Wanted() {
		err = casefile.KeepPlayed(r.t.Name(), r.recording, c, f)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return f
}

// verdictOn judges one objective over outcomes of a load that ran from 0 to end.
func verdictOn(t testing.TB, text string, end time.Duration, outcomes []scenarios.Outcome) result.ObjectiveResult {
	t.Helper()
	o := parseObjectives(t, text)
	r := newFixture(t, oneStep, o...)
	r.play(outcomes)
	return r.finish(judge.Case{SLO: o}, end).Objectives[0]
}

// cellOf finds a row of the table.
func cellOf(t testing.TB, f *judge.Findings, phase, step, outcome string) result.Cell {
	t.Helper()
	for _, c := range f.Cells {
		if c.Phase.String() == phase && c.Step == step && c.Outcome == outcome {
			return c
		}
	}
	return result.Cell{Phase: slo.ParsePhase(phase), Step: step, Outcome: outcome}
}
