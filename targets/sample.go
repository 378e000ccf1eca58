package targets

import (
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/template"
)

// A Sampled is a request that a sampler wants, as its protocol describes it for the report.
type Sampled struct {
	Out    *scenarios.Outcome
	Step   string
	Sent   *result.Sent
	Err    error                            // of a request without an answer; nil: it has one
	Failed func() (wanted, received string) // of an answer that failed a check
}

// Keep gives the request to the sampler. First the iteration learns which of its values to mask.
func (s Sampled) Keep(k Sampler, it *template.Iter) {
	sm := result.Sample{
		At: s.Out.Intended.Seconds(), Step: s.Step, Request: s.Sent.Method + " " + s.Sent.URL, Status: int(s.Out.Status),
		Sent: s.Sent,
	}
	switch {
	case s.Err != nil:
		sm.Message = Explain(s.Err)
	case s.Out.Kind == scenarios.Error:
		sm.Message, sm.Body = s.Failed()
	}
	it.Learn()
	k.Keep(s.Out, sm)
}
