package samples_test

import (
	"strings"
	"sync"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/result"
)

// TestSamples: the first failed request of every step and cause is kept with secrets masked, also
// when several workers fail at once.
func TestSamples(t *testing.T) {
	s := &samples.Set{Mask: func(v string) string { return strings.ReplaceAll(v, "secret", "***") }}
	timeout := scenarios.Outcome{Kind: scenarios.Error, Step: 1, Cause: scenarios.Timeout}
	reset := scenarios.Outcome{Kind: scenarios.Error, Step: 1, Cause: scenarios.Reset}
	if !s.Want(&timeout) || s.First(1, scenarios.Timeout) != nil {
		t.Error("there is one before the first")
	}
	s.Keep(&timeout, result.Sample{
		Request: "GET /?k=secret", Message: "secret", Body: "a secret", Headers: map[string]string{"A": "secret"},
		Sent: &result.Sent{Method: "GET", URL: "http://a/?k=secret"},
	})
	s.Keep(&timeout, result.Sample{Request: "the second"})
	s.Keep(&reset, result.Sample{Request: "reset"})
	if s.Want(&timeout) {
		t.Error("it wants another")
	}
	got := s.First(1, scenarios.Timeout)
	if got == nil || got.Request != "GET /?k=***" || got.Message != "***" || got.Body != "a ***" ||
		got.Headers["A"] != "***" ||
		got.Sent.URL != "http://a/?k=***" || !strings.Contains(got.Curl, `'http://a/?k='"${SECRET:?}"`) {
		t.Errorf("kept %+v", got)
	}
	if s.First(0, scenarios.Timeout) != nil || s.First(1, scenarios.Refused) != nil {
		t.Error("there is one of what never failed")
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			o := scenarios.Outcome{Kind: scenarios.Error, Step: int32(i % 2), Cause: scenarios.Closed}
			if s.Want(&o) {
				s.Keep(&o, result.Sample{Request: "x"})
			}
			s.First(0, scenarios.Closed)
		})
	}
	all.Wait()
}
