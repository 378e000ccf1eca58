package judge

import (
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
