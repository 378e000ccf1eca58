// Requests of a load that failed are repeated, as many clients do.
//
//	vu --Do--> Clients.User --Do, again after a pause--> session of a protocol
//
// All attempts are one request: its response time goes from the first intended instant to the end of the last attempt,
// and its outcome is that of the last. What it sends is the same each time: the random source of the iteration is
// rewound.

package driver

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/template"
)

// retryClients are the virtual users of a load that retry. A load has one of them.
type retryClients struct {
	policy  *scenarios.RetryPolicy
	now     func() time.Duration
	aborted chan struct{}
	once    sync.Once
}

// newRetryClients returns the clients of a load with a policy. Now is the run's clock.
func newRetryClients(policy *scenarios.RetryPolicy, now func() time.Duration) *retryClients {
	return &retryClients{policy: policy, now: now, aborted: make(chan struct{})}
}

// Abort ends every pause before a further attempt. No attempt follows.
func (c *retryClients) Abort() { c.once.Do(func() { close(c.aborted) }) }

// User returns a virtual user that repeats the calls of u.
func (c *retryClients) User(u load.User) load.User { return &client{User: u, retryClients: c} }

// client is a virtual user that retries.
type client struct {
	load.User
	*retryClients
}

func (c *client) Do(it *template.Iter, call scenarios.Call, out *scenarios.Outcome) {
	asked, deadline, source := *out, it.Deadline, *it.Source
	var sum scenarios.Outcome // of the attempts so far
	for n := 1; ; n++ {
		*it.Source = source
		it.Deadline = deadline
		if c.policy.Timeout > 0 {
			it.Deadline = min(deadline, max(c.now(), it.Intended)+c.policy.Timeout.D())
		}
		c.User.Do(it, call, out)
		if it.Idle {
			break
		}
		merge(&sum, out, n)
		if n > c.policy.Times || !again(c.policy, out) {
			break
		}
		at := out.End + c.pause(n, source)
		if at >= deadline {
			break // it would have timed out before
		}
		if !c.wait(at) {
			out.Kind, out.Cause, out.End = scenarios.Error, scenarios.Unfinished, c.now()
			break
		}
		*out = asked
	}
	it.Deadline = deadline
}

// again reports whether a client repeats a request with an outcome. What brunt itself failed at is no reason.
func again(p *scenarios.RetryPolicy, o *scenarios.Outcome) bool {
	if o.Kind == scenarios.OK || o.Cause.Own() ||
		slices.Contains([]scenarios.Cause{scenarios.Unfinished, scenarios.NotAllowed, scenarios.NoData}, o.Cause) {
		return false
	}
	return slices.ContainsFunc(p.Ons(), func(on scenarios.RetryOn) bool {
		status, class := on.Status()
		switch {
		case on.Text == scenarios.RetryUnanswered:
			return !o.Answered
		case on.Text == scenarios.RetryShed:
			return o.Kind == scenarios.Shed
		case on.Text == scenarios.RetryError:
			return o.Kind == scenarios.Error
		case class > 0:
			return int(o.Status)/100 == class
		case status > 0:
			return int(o.Status) == status
		}
		return o.Cause.String() == on.Text
	})
}

// merge counts attempt n in the sum of them, and the sum in out: what they sent and received, and when a connection was
// first free.
func merge(sum, out *scenarios.Outcome, n int) {
	written := min(sum.Written()+out.Written(), math.MaxUint16)
	if n > 1 {
		out.Slot = sum.Slot
		out.Bytes += sum.Bytes
		out.Think += sum.Think
		if !out.WasSent {
			out.WasSent, out.Sent = sum.WasSent, sum.Sent
		}
	}
	out.Attempts = uint16(written)
	*sum = *out
}

// pause is how long the client waits after attempt n. What is drawn of it follows from the source of the iteration.
func (c *client) pause(n int, source rand.PCG) time.Duration {
	p := c.policy
	d := min(float64(p.Backoff)*math.Pow(2, float64(n-1)), float64(p.MostBackoff()))
	drawn := 0.0
	for range n {
		drawn = float64(source.Uint64()>>11) / (1 << 53)
	}
	return time.Duration(d * (1 - float64(p.Jitter)*drawn))
}

// wait waits until at; false: the load was aborted.
func (c *client) wait(at time.Duration) bool {
	timer := time.NewTimer(at - c.now())
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.aborted:
		return false
	}
}
