package judge

import (
	"time"

	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Names that the external tests use.

const MaxRows = maxRows

// JudgeRegisters is for tests.
func JudgeRegisters(o slo.Objective, all []*result.ConsistencyRecord) result.ObjectiveResult {
	return judgeRegisters(o, all)
}

// JudgeWrites is for tests: with the note in words.
func JudgeWrites(o slo.Objective, all []*result.LedgerRecord) result.ObjectiveResult {
	r := judgeWrites(o, all)
	r.Asked = &o
	r.Say()
	return r
}

// TracesJudged judges an objective on the traces of the run.
func TracesJudged(
	o slo.Objective, count func(from, to time.Duration) (whole, n int64, came bool),
) result.ObjectiveResult {
	return judgeTraces(o, phase{name: slo.Phase{Kind: slo.RunPhase}, Span: requests.Span{To: time.Minute}}, count)
}

// JudgeDeliveries judges an objective on what became of the messages of a delivery.
var JudgeDeliveries = judgeDeliveries
