package load

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
)

// call is a step of the tests; the fakeTarget interprets its name.
type call string

func (c call) Name() string                 { return string(c) }
func (c call) Traits() scenarios.CallTraits { return scenarios.CallTraits{} }

// verdict is how the fakeTarget's target handles a request.
type verdict struct {
	after time.Duration // delay of the answer; negative: no answer
	kind  scenarios.Kind
	cause scenarios.Cause
}

// fakeTarget is a target, a sink and a clock. Its users answer as answer says.
type fakeTarget struct {
	t0     time.Time
	answer func(it *template.Iter, c call, now time.Duration) verdict // nil answers at once; called under mu
	opened func(vu int) error                                         // nil accepts every user

	busy, most atomic.Int64
	closed     atomic.Int64
	abort      chan struct{}

	mu   sync.Mutex
	list []scenarios.Outcome
	sent []int64 // numbers of iterations in the order their requests were made
}

func newFakeTarget() *fakeTarget { return &fakeTarget{t0: time.Now(), abort: make(chan struct{})} }

func (r *fakeTarget) now() time.Duration { return time.Since(r.t0) }

// run makes a load against the fakeTarget that begins after a second.
func (r *fakeTarget) run(t testing.TB, load string, steps ...Step) *Run {
	t.Helper()
	plan, mistakes := planOf(t, load)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	r.t0 = time.Now().Add(time.Second)
	return &Run{Settings: Settings{
		Name: "a", Plan: plan, Flows: []Flow{{Weight: 1, Steps: steps}}, Timeout: 10 * time.Second, Grace: 10 * time.Second,
		MaxInFlight: 10000,
		Seed:        7, Pacing: "sleep", Now: r.now, Env: &template.Env{}, Shards: 2,
		Open: func(vu int) (User, EndIteration, error) {
			if r.opened != nil {
				if err := r.opened(vu); err != nil {
					return nil, nil, err
				}
			}
			return &user{fakeTarget: r}, nil, nil
		},
		Sink:  func(int) Sink { return r },
		Abort: func() { close(r.abort) },
	}}
}

// do runs the load to its end.
func (r *fakeTarget) do(t testing.TB, run *Run) Stats {
	t.Helper()
	stats, err := run.Go(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

func (r *fakeTarget) Record(o *scenarios.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, *o)
}

// outcomes returns the outcomes of a step, ordered by intended time.
func (r *fakeTarget) outcomes(step int32) (list []scenarios.Outcome) {
	for _, o := range r.list {
		if o.Step == step {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b scenarios.Outcome) int { return int(a.Intended - b.Intended) })
	return list
}

// kinds counts the outcomes of a step.
func (r *fakeTarget) kinds(step int32) (n [scenarios.Kinds]int) {
	for _, o := range r.list {
		if o.Step == step {
			n[o.Kind]++
		}
	}
	return n
}

type user struct {
	*fakeTarget
	used atomic.Bool
}

func (u *user) Close() error {
	u.closed.Add(1)
	return nil
}

func (u *user) Do(it *template.Iter, c scenarios.Call, out *scenarios.Outcome) {
	if !u.used.CompareAndSwap(false, true) {
		panic("a user is used by two at once")
	}
	defer u.used.Store(false)
	busy := u.busy.Add(1)
	defer u.busy.Add(-1)
	for most := u.most.Load(); busy > most && !u.most.CompareAndSwap(most, busy); most = u.most.Load() {
	}
	now := u.now()
	out.Slot = now
	u.mu.Lock()
	u.sent = append(u.sent, it.N)
	v := verdict{}
	if u.answer != nil {
		v = u.answer(it, c.(call), now)
	}
	u.mu.Unlock()
	if it.Deadline <= now {
		out.Slot, out.End, out.Kind, out.Cause = it.Deadline, it.Deadline, scenarios.Error, scenarios.Timeout
		return
	}
	out.Sent, out.WasSent = now, true
	wait := it.Deadline - now
	late := v.after < 0 || v.after > wait
	if !late {
		wait = v.after
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-u.abort:
		out.End, out.Kind, out.Cause = u.now(), scenarios.Error, scenarios.Unfinished
		return
	}
	out.End = u.now()
	if late {
		out.Kind, out.Cause = scenarios.Error, scenarios.Timeout
		return
	}
	out.First, out.Answered = out.End, true
	out.Kind, out.Cause = v.kind, v.cause
}

// takes answers after a fixed time.
func takes(d time.Duration) func(*template.Iter, call, time.Duration) verdict {
	return func(*template.Iter, call, time.Duration) verdict { return verdict{after: d} }
}

var errBroken = errors.New("broken")

// bubble runs a test on a fake clock. All goroutines that it starts must end, or the bubble panics.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// quantile returns a quantile of response times; failed requests count as infinitely slow.
func quantile(list []scenarios.Outcome, q float64) time.Duration {
	var times []time.Duration
	for i := range list {
		d := list[i].Response()
		if list[i].Kind != scenarios.OK {
			d = 1 << 60
		}
		times = append(times, d)
	}
	slices.Sort(times)
	return times[int(q*float64(len(times)))-1]
}
