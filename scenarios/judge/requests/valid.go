package requests

import (
	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// UnsentMost is the share of a phase's requests that brunt may fail to send. Above it the load was
// not the scheduled one, so that no objective passes.
const UnsentMost = 0.01

// Valid returns the result of an objective as measured, where brunt's own time does not decide it: an
// objective is judged twice, as measured and with brunt's own time taken off each request and the
// requests at which brunt failed left out. The same answer stands, however late brunt was. Another
// answer says nothing about the target.
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
