package workers

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos/rpc"
	"brunt/scenarios/quantity"
)

// exchanges is the number of times that a worker is asked for its time before the load.
const exchanges = 40

// compareClock measures how far the clock of a worker elsewhere is ahead of this machine's. It uses the exchange with
// the shortest round trip; the uncertainty is half of that.
func (c *Crew) compareClock(ctx context.Context, m *member) error {
	least := time.Duration(-1)
	for range exchanges {
		asked := time.Now()
		there, err := call(ctx, m, startWithin, OpClock, rpc.None{})
		if err != nil {
			return err
		}
		if rtt := time.Since(asked); least < 0 || rtt < least {
			least = rtt
			m.ahead, m.unsure = time.Unix(0, there).Sub(asked.Round(0).Add(rtt/2)), rtt/2
		}
	}
	if m.unsure > c.terms.Skew && len(c.plan.Scenario.Faults) > 0 {
		return fmt.Errorf("worker %d: its clock is known to %s, and `skew` allows %s beside faults: run brunt nearer to "+
			"the cluster, or raise workers.skew",
			m.n+1, quantity.FormatDuration(m.unsure.Round(time.Microsecond)), quantity.FormatDuration(c.terms.Skew))
	}
	return nil
}

// watchClock records a lower bound of the error of the clock of a worker elsewhere: the worker reported now at a time
// between before and the present.
func (c *Crew) watchClock(m *member, before, now time.Duration) {
	if !c.terms.Remote {
		return
	}
	off := max(before-now, now-c.host.Log.Now())
	m.change(func(s *state) { s.off = max(s.off, off) })
}

// machineOf names the machine whose clock a worker uses.
func (c *Crew) machineOf() string {
	if c.terms.Remote {
		return "its node"
	}
	return "this machine"
}
