// Requests of a load that failed are repeated, as many clients do.
//
//	vu --Do--> Clients.User --Do, again after a pause--> session of a protocol
//
// All attempts count as one request: its response time runs from the intended time of the first attempt to the end of
// the last, and its outcome is the outcome of the last. Each attempt sends the same request, because the random
// source of the iteration is rewound.

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

// retryClients makes the virtual users of a load that retry. A load has one retryClients.
type retryClients struct {
	policy  *scenarios.RetryPolicy
	now     func() time.Duration
	aborted chan struct{}
	once    sync.Once
}

// newRetryClients returns the retryClients of a load with a policy. now is the run's clock.
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
	var sum scenarios.Outcome // sum of the attempts so far
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
			break // the request would time out before
		}
		if !c.wait(at) {
			out.Kind, out.Cause, out.End = scenarios.Error, scenarios.Unfinished, c.now()
			break
		}
		*out = asked
	}
	it.Deadline = deadline
}

// again reports whether a client repeats a request with an outcome. A failure of brunt itself is not repeated.
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

// merge adds attempt n to the sum of attempts, and writes the sum to out: the bytes and attempts, and when a
// connection was first free.
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

// pause returns how long the client waits after attempt n. Its random part follows from the random source of the
// iteration.
func (c *client) pause(n int, source rand.PCG) time.Duration {
	p := c.policy
	d := min(float64(p.Backoff)*math.Pow(2, float64(n-1)), float64(p.MostBackoff()))
	drawn := 0.0
	for range n {
		drawn = float64(source.Uint64()>>11) / (1 << 53)
	}
	return time.Duration(d * (1 - float64(p.Jitter)*drawn))
}

// wait waits until at. It returns false if the load is aborted.
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
