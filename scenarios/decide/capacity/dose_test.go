package capacity

import (
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result/search"
)

// TestDoseProber_Operator: no person waits beside a search, so that its probes inject without one.
func TestDoseProber_Operator(t *testing.T) {
	const text = `version: 1
name: waits
target: {stack: demo}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 40s, flow: [{get: "/posts?page=1"}]}}
chaos:
  slow-store: {at: 5s, wait: {for: operator, at_most: 10s}, for: 5s, network.latency: {from: posts, to: store, delay: 30ms}}
slo: [p95 < 100ms in slow-store]
`
	r := &DoseProber{
		Parse: func() (*scenarios.Scenario, error) {
			return scenarios.Parse("waits.yaml", scenarios.Options{
				Read: func(string) ([]byte, error) { return []byte(text), nil },
			})
		},
		Setting: search.Dose{Fault: "slow-store", Key: "delay", Kind: "network.latency", Unit: search.DoseSeconds},
	}
	p, err := r.plan(.1)
	if err != nil {
		t.Fatal(err)
	}
	if e := p.Faults[0]; e.Wait.ForOperator() {
		t.Errorf("%s waits for an operator in a probe", e.Name)
	}
}
