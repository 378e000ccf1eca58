package chaos_test

import (
	"context"
	"testing"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/scenarios/suite"
)

// countedAgents counts the handles that faults ask for.
type countedAgents struct {
	chaos.Agents
	entered int
}

func (c *countedAgents) Enter(ctx context.Context, u chaos.Contained, run string) (chaos.Handle, error) {
	c.entered++
	return c.Agents.Enter(ctx, u, run)
}

// TestPackets_OneHandle checks that a fault uses one handle from the plan to the proof that it is gone, and
// that the pool closes those of faults that were planned and not injected.
func TestPackets_OneHandle(t *testing.T) {
	suite.Needs(t, suite.Root) // not parallel: it counts open namespaces
	open := openNamespaces(t)
	for _, yaml := range []string{
		"network.loss: {from: web, to: store, percent: 30%}",
		"network.bandwidth: {service: web, rate: 10Mbit/s, via: tbf}",
	} {
		w := boxes(t, true)
		pool := &agent.Pool{Find: catalog.Find}
		agents := &countedAgents{Agents: pool}
		w.Env.Agents = agents
		step := chaostest.Plan(t, yaml, w)[0]
		planned := agents.entered // more than once: the suite plans again to compare
		held, err := step.Inject(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := held.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		end(t, held)
		if agents.entered != planned {
			t.Errorf("%s: after the plan it has entered the network %d times more; want 0", yaml, agents.entered-planned)
		}
		if err := pool.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if now := openNamespaces(t); now != open {
			t.Errorf("%s: %d namespaces are open, and %d were before", yaml, now, open)
		}
	}
}
