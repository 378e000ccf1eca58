package result

import "testing"

// TestMeet: an expectation came only if the impact is known and the same. What is not known refutes nothing.
func TestMeet(t *testing.T) {
	sure := func(impact Impact) FaultRecord {
		return FaultRecord{
			Verified: 1, Traffic: 10, TrafficUnit: "requests", Impact: impact, Limit: .01,
			Parts: &ImpactParts{Requests: 1000, P50: .01, P50Before: .01},
		}
	}
	for _, c := range []struct {
		name   string
		change func(f *FaultRecord)
		impact Impact
		want   [3]string // expected not_impacted, impacted, not_recovered
	}{
		{"impacted", nil, Impacted, [3]string{"no", "yes", "no"}},
		{"not impacted", nil, NotImpacted, [3]string{"yes", "no", "no"}},
		{"not recovered", nil, NotRecovered, [3]string{"no", "no", "yes"}},
		{"confounded", nil, Confounded, [3]string{"untested", "untested", "untested"}},
		{"not injected", nil, NotInjected, [3]string{"untested", "untested", "untested"}},
		{"unknown", nil, UnknownYet, [3]string{"untested", "untested", "untested"}},
		{
			"not verified", func(f *FaultRecord) { f.Verified = NaN }, NotImpacted,
			[3]string{"untested", "untested", "untested"},
		},
		{
			"no traffic", func(f *FaultRecord) { f.Traffic = 0 }, NotImpacted,
			[3]string{"untested", "untested", "untested"},
		},
		{
			"too few requests", func(f *FaultRecord) { f.Parts.Requests, f.Parts.Errors = 10, 5 }, NotImpacted,
			[3]string{"untested", "untested", "untested"},
		},
		{
			"a step was down", func(f *FaultRecord) { f.Parts.StepOutage = &StepOutage{Step: "pay"} }, NotImpacted,
			[3]string{"untested", "untested", "untested"},
		},
		{
			"perhaps slower", func(f *FaultRecord) { f.Parts.SlowerBecause = Notes{{Kind: SlowerVaried}} }, NotImpacted,
			[3]string{"untested", "untested", "untested"},
		},
	} {
		for i, outcome := range []Impact{NotImpacted, Impacted, NotRecovered} {
			f := sure(c.impact)
			if c.change != nil {
				c.change(&f)
			}
			f.Expect = &Expectation{Outcome: outcome}
			r := &Result{Faults: []FaultRecord{f, {Expect: &Expectation{Text: "a text alone"}}, {}}}
			r.Meet()
			if got := r.Faults[0].Expect.Came; got != c.want[i] {
				t.Errorf("%s, expected %s: %s, want %s", c.name, outcome, got, c.want[i])
			}
			if got := r.Faults[1].Expect.Came; got != "" {
				t.Errorf("a text alone came: %q", got)
			}
		}
	}
}
