package driver_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/driver"
	"brunt/scenarios/quantity"
	"brunt/scenarios/template"
)

const ms = time.Millisecond

// An answer is what the target does with one attempt.
type answer struct {
	after  time.Duration // or the deadline of the attempt
	status int32         // 0: none
}

// A target answers attempts in turn, and keeps what it saw.
type target struct {
	now     func() time.Duration
	answers []answer
	at      []time.Duration // when each attempt came
	drawn   []uint64        // what each attempt drew
}

func (f *target) Do(it *template.Iter, _ scenarios.Call, out *scenarios.Outcome) {
	f.at = append(f.at, f.now())
	f.drawn = append(f.drawn, it.Rand.Uint64())
	a := f.answers[min(len(f.at), len(f.answers))-1]
	out.Slot, out.Sent, out.WasSent = f.now(), f.now(), true
	if left := it.Deadline - f.now(); a.status == 0 || a.after > left {
		time.Sleep(left) // simulates the target
		out.End, out.Kind, out.Cause = f.now(), scenarios.Error, scenarios.Timeout
		return
	}
	time.Sleep(a.after) // simulates the target
	out.End, out.Answered, out.Status, out.Bytes = f.now(), true, a.status, 10
	switch {
	case a.status == 429:
		out.Kind = scenarios.Shed
	case a.status >= 400:
		out.Kind, out.Cause = scenarios.Error, scenarios.Status(int(a.status))
	}
}

func (f *target) Close() error { return nil }

// TestUser: what is repeated, when, and what the request is in the end. The answers of the target are given.
func TestUser(t *testing.T) {
	d := func(d time.Duration) quantity.Duration { return quantity.Duration(d) }
	good, bad, gone, shed, hung := answer{10 * ms, 200}, answer{20 * ms, 503}, answer{5 * ms, 404}, answer{ms, 429},
		answer{}
	for name, c := range map[string]struct {
		policy  scenarios.RetryPolicy
		answers []answer
		at      []time.Duration // of the attempts
		kind    scenarios.Kind
		status  int32
		end     time.Duration
	}{
		"good at once": {
			scenarios.RetryPolicy{Times: 3},
			[]answer{good},
			[]time.Duration{0},
			scenarios.OK, 200, 10 * ms,
		},
		"without a pause": {
			scenarios.RetryPolicy{Times: 3},
			[]answer{bad, bad, good},
			[]time.Duration{0, 20 * ms, 40 * ms},
			scenarios.OK, 200, 50 * ms,
		},
		"never good": {
			scenarios.RetryPolicy{Times: 2},
			[]answer{bad},
			[]time.Duration{0, 20 * ms, 40 * ms},
			scenarios.Error, 503, 60 * ms,
		},
		"a pause that doubles": {
			scenarios.RetryPolicy{Times: 3, Backoff: d(100 * ms)},
			[]answer{bad, bad, bad, good},
			[]time.Duration{0, 120 * ms, 340 * ms, 760 * ms},
			scenarios.OK, 200, 770 * ms,
		},
		"a bounded pause": {
			scenarios.RetryPolicy{Times: 3, Backoff: d(100 * ms), MaxBackoff: d(150 * ms)},
			[]answer{bad},
			[]time.Duration{0, 120 * ms, 290 * ms, 460 * ms},
			scenarios.Error, 503, 480 * ms,
		},
		"an error that is not repeated": {
			scenarios.RetryPolicy{Times: 3},
			[]answer{gone},
			[]time.Duration{0},
			scenarios.Error, 404, 5 * ms,
		},
		"every error": {
			scenarios.RetryPolicy{Times: 1, On: []scenarios.RetryOn{{Text: "error"}}},
			[]answer{gone, good},
			[]time.Duration{0, 5 * ms},
			scenarios.OK, 200, 15 * ms,
		},
		"a status": {
			scenarios.RetryPolicy{Times: 1, On: []scenarios.RetryOn{{Text: "404"}}},
			[]answer{gone, bad},
			[]time.Duration{0, 5 * ms},
			scenarios.Error, 503, 25 * ms,
		},
		"a class of another status": {
			scenarios.RetryPolicy{Times: 1, On: []scenarios.RetryOn{{Text: "4xx"}}},
			[]answer{bad, good},
			[]time.Duration{0},
			scenarios.Error, 503, 20 * ms,
		},
		"a cause by its name": {
			scenarios.RetryPolicy{Times: 1, On: []scenarios.RetryOn{{Text: "status 503"}}},
			[]answer{bad, good},
			[]time.Duration{0, 20 * ms},
			scenarios.OK, 200, 30 * ms,
		},
		"shed": {
			scenarios.RetryPolicy{Times: 1, On: []scenarios.RetryOn{{Text: "shed"}}},
			[]answer{shed, good},
			[]time.Duration{0, ms},
			scenarios.OK, 200, 11 * ms,
		},
		"shed, which is not repeated": {
			scenarios.RetryPolicy{Times: 1},
			[]answer{shed, good},
			[]time.Duration{0},
			scenarios.Shed, 429, ms,
		},
		"no answer, with time left": {
			scenarios.RetryPolicy{Times: 3, Timeout: d(300 * ms)},
			[]answer{hung, hung, good},
			[]time.Duration{0, 300 * ms, 600 * ms},
			scenarios.OK, 200, 610 * ms,
		},
		"no answer until the timeout": {
			scenarios.RetryPolicy{Times: 3},
			[]answer{hung, good},
			[]time.Duration{0},
			scenarios.Error, 0, time.Second,
		},
		"the last attempt is cut short": {
			scenarios.RetryPolicy{Times: 9, Timeout: d(400 * ms)},
			[]answer{hung},
			[]time.Duration{0, 400 * ms, 800 * ms},
			scenarios.Error, 0, time.Second,
		},
		"no time for the pause": {
			scenarios.RetryPolicy{Times: 3, Backoff: d(2 * time.Second)},
			[]answer{bad, good},
			[]time.Duration{0},
			scenarios.Error, 503, 20 * ms,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				now := func() time.Duration { return time.Since(began) }
				f := &target{now: now, answers: c.answers}
				u := driver.NewRetryClients(&c.policy, now).User(f)
				source := rand.NewPCG(1, 2)
				it := &template.Iter{Rand: rand.New(source), Source: source, Deadline: time.Second}
				out := scenarios.Outcome{Load: 3, Step: 4, Ready: 0}
				u.Do(it, nil, &out)
				if !slices.Equal(f.at, c.at) || out.Kind != c.kind || out.Status != c.status || out.End != c.end {
					t.Errorf("attempts at %v, %s %d at %v; want %v, %s %d at %v", f.at, out.Kind, out.Status, out.End, c.at, c.kind,
						c.status, c.end)
				}
				if out.Load != 3 || out.Step != 4 || out.Slot != 0 || int(out.Attempts) != len(c.at) || it.Deadline != time.Second {
					t.Errorf("the outcome is %+v after %d attempts, with deadline %v", out, len(c.at), it.Deadline)
				}
				if len(slices.Compact(f.drawn)) != 1 {
					t.Errorf("the attempts drew %v: they are not the same request", f.drawn)
				}
			})
		})
	}
}

// TestUser_Jitter: pauses are drawn between what is left of them and their whole length, and those of another iteration
// are others.
func TestUser_Jitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		least, most := time.Hour, time.Duration(0)
		for n := range 200 {
			began := time.Now()
			now := func() time.Duration { return time.Since(began) }
			f := &target{now: now, answers: []answer{{0, 503}, {0, 200}}}
			source := rand.NewPCG(7, uint64(n))
			it := &template.Iter{Rand: rand.New(source), Source: source, Deadline: time.Second}
			var out scenarios.Outcome
			driver.NewRetryClients(&scenarios.RetryPolicy{Times: 1, Backoff: quantity.Duration(100 * ms), Jitter: .5},
				now).User(f).Do(it, nil, &out)
			least, most = min(least, f.at[1]), max(most, f.at[1])
		}
		if least < 50*ms || least > 52*ms || most > 100*ms || most < 98*ms {
			t.Errorf("200 pauses lie between %v and %v; want 50ms to 100ms", least, most)
		}
	})
}

// TestUser_Abort: a run that ends cuts a pause off, and the request is unfinished.
func TestUser_Abort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		now := func() time.Duration { return time.Since(began) }
		f := &target{now: now, answers: []answer{{0, 503}}}
		clients := driver.NewRetryClients(&scenarios.RetryPolicy{
			Times: 1, Backoff: quantity.Duration(time.Minute), MaxBackoff: quantity.Duration(time.Minute),
		}, now)
		time.AfterFunc(time.Second, clients.Abort)
		source := rand.NewPCG(7, 7)
		it := &template.Iter{Rand: rand.New(source), Source: source, Deadline: time.Hour}
		var out scenarios.Outcome
		clients.User(f).Do(it, nil, &out)
		if out.Cause != scenarios.Unfinished || out.End != time.Second || len(f.at) != 1 {
			t.Errorf("%v at %v after %d attempts", out.Cause, out.End, len(f.at))
		}
	})
}
