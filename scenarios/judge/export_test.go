package judge

import (
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Names that the external tests use.

const MaxRows = maxRows

// JudgeWrites is for tests: with the note in words.
func JudgeWrites(o slo.Objective, all []*result.LedgerRecord) result.ObjectiveResult {
	r := judgeWrites(o, all)
	r.Asked = &o
	r.Say()
	return r
}
