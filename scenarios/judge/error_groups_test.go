package judge_test

import (
	"testing"

	"brunt/scenarios/judge"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/result"
)

// TestSamples_InErrors: an error group carries its sample.
func TestSamples_InErrors(t *testing.T) {
	g := newFixture(t, oneStep)
	o := request(0, ms, failure)
	g.Shard(0).Record(&o)
	s := &samples.Set{}
	s.Keep(&o, result.Sample{Request: "GET /", Status: 500})
	f := g.finish(judge.Case{Samples: s}, sec)
	if len(f.Errors) != 1 || f.Errors[0].Sample == nil || f.Errors[0].Sample.Status != 500 ||
		f.Errors[0].Kind != "status 500" {
		t.Errorf("%+v", f.Errors)
	}
}
