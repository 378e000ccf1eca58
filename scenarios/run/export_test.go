package run

import (
	"context"
	"runtime"
	"time"

	"brunt/scenarios/load"
	"brunt/scenarios/plan"
)

// Play drives the only load of a plan as a run does, and records the outcomes of its requests in a sink.
func Play(ctx context.Context, p *plan.Plan, sink load.Sink) error {
	r := newRunner(p, Options{})
	if err := r.prepare(ctx); err != nil {
		return err
	}
	r.session.sys = r.newTarget()
	r.log.Begin(time.Now().Add(lead))
	if err := r.loads.prepare(0, runtime.GOMAXPROCS(0)); err != nil {
		return err
	}
	defer r.loads.close()
	r.loads.jobs[0].(*load.Run).Sink = func(int) load.Sink { return sink }
	_, err := r.loads.jobs[0].Go(ctx)
	return err
}

// TeardownContext is [teardownContext].
var TeardownContext = teardownContext

// FaultStep is [faultStep].
var FaultStep = faultStep

// LagLimit is for tests.
var LagLimit = lagLimit

// UnwellUnits is [unwellUnits].
var UnwellUnits = unwellUnits

// ApartFrom is [apartFrom].
var ApartFrom = apartFrom

// StaysIn is [staysIn].
var StaysIn = staysIn

// JudgeRecord is [judgeRecord].
var JudgeRecord = judgeRecord

// HowEnded is [howEnded].
var HowEnded = howEnded

// ExplainsDown is [explainsDown].
var ExplainsDown = explainsDown
