package requests

import (
	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// UnsentMost is the maximum share of a phase's requests that brunt may fail to send. Above it the load was not the
// scheduled one, so no objective passes.
const UnsentMost = 0.01

// Valid returns the result of an objective as measured if brunt's own time does not decide it, else an invalid one. r
// is the result as measured. punctual is the result without brunt's own time and without the requests that brunt
// failed to send. If both verdicts agree, they stand, however late brunt was. If they differ, they say nothing about
// the target. A pass that is inconclusive without brunt's own time becomes inconclusive.
func Valid(r, punctual result.ObjectiveResult, measured *measure.Counts) result.ObjectiveResult {
	own := &measured.Own
	doubt := func(kind result.NoteKind) {
		r.Doubt(result.Note{Kind: kind, Part: own.Unsent(), Count: measured.Offered()})
	}
	switch {
	case r.Verdict == scenarios.Fail && punctual.Verdict != scenarios.Fail:
		doubt(result.OwnLagFails)
	case r.Verdict == scenarios.Pass && punctual.Verdict == scenarios.Fail:
		doubt(result.OwnLagHolds)
	case r.Verdict == scenarios.Pass && punctual.Verdict == scenarios.Inconclusive:
		r.Verdict, r.Because = punctual.Verdict, punctual.Because
	case r.Verdict == scenarios.Pass && float64(own.Unsent()) > UnsentMost*float64(measured.Offered()):
		doubt(result.NotTheLoad)
	}
	return r
}
