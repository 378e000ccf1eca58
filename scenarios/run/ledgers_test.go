package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// outbox is a target that tells of each write by an event, but of every tenth, and of every fifth twice. It keeps a log
// of its own.
type outbox struct {
	*httptest.Server
	mu     sync.Mutex
	posts  map[string]int
	events map[string]int
	n      int
}

func newOutbox(t *testing.T) *outbox {
	o := &outbox{posts: map[string]int{}, events: map[string]int{}}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		key := r.URL.Query().Get("key")
		switch {
		case r.Method == http.MethodPost:
			id := r.Header.Get("Idempotency-Key")
			o.posts[id]++
			o.n++
			switch {
			case o.n%10 == 0:
			case o.n%5 == 0:
				o.events[id] += 2
			default:
				o.events[id]++
			}
			w.WriteHeader(http.StatusCreated)
		case r.URL.Path == "/posts":
			fmt.Fprintf(w, `{"total": %d}`, o.posts[key])
		default:
			fmt.Fprintf(w, `{"total": %d}`, o.events[key])
		}
	}))
	t.Cleanup(o.Close)
	return o
}

// counted is how many writes the target has, without an event and with two.
func (o *outbox) counted() (writes, lost, twice int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range o.posts {
		switch writes++; o.events[id] {
		case 0:
			lost++
		case 2:
			twice++
		}
	}
	return writes, lost, twice
}

// TestLedgers: two ledgers of one write, of which one reads what tells of it elsewhere, with the load in one process
// and in two.
func TestLedgers(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 2} {
		t.Run(fmt.Sprint("workers ", n), func(t *testing.T) {
			target := newOutbox(t)
			text := `version: 1
target: {url: "` + target.URL + `"}
load:
  main:
    executor: constant-arrival-rate
    rate: 50/s
    duration: 2s
    flow: [{post: /posts, name: write, headers: {Idempotency-Key: "${ledger.id}"}, check: {status: 201}}]
ledgers:
  posts: {write: write, id: "${ledger.id}", read: {get: "/posts?key=${id}"}, count: $.total, settle: 200ms, within: 1s, probe: 20/s}
  events: {write: write, id: "${ledger.id}", read: {get: "/events?key=${id}"}, count: $.total, settle: 200ms, within: 1s}
slo: [lost(posts) = 0, duplicated(posts) = 0, lost(events) = 0, duplicated(events) = 0, stale.reads(posts) = 0]
`
			var res *result.Result
			if n > 0 {
				res = withWorkers(t, n, text, run.Options{})
			} else {
				res = runOnce(t, text, run.Options{Ledger: filepath.Join(t.TempDir(), "ledger.jsonl")})
			}
			writes, lost, twice := target.counted()
			if writes < 90 || lost == 0 || twice == 0 {
				t.Fatalf("the target counted %d writes, %d without an event, %d with two: %s", writes, lost, twice, res.Reason)
			}
			if res.Ledger != nil || len(res.Ledgers) != 2 {
				t.Fatalf("the ledgers are %v and %v", res.Ledger, res.Ledgers)
			}
			posts, events := res.Ledgers[0], res.Ledgers[1]
			if posts.Name != "posts" || posts.Acknowledged != writes || posts.Lost+posts.Duplicated != 0 {
				t.Errorf("posts: %d acknowledged, %d lost, %d duplicated; want %d writes", posts.Acknowledged, posts.Lost,
					posts.Duplicated, writes)
			}
			if events.Name != "events" || events.Acknowledged != writes || events.Lost != lost || events.Duplicated != twice {
				t.Errorf("events: %d acknowledged, %d lost, %d duplicated; want %d writes, %d lost and %d duplicated",
					events.Acknowledged, events.Lost,
					events.Duplicated, writes, lost, twice)
			}
			settled := slices.DeleteFunc(slices.Clone(res.Events),
				func(e result.Event) bool { return e.Event != "ledger.settle" })
			if len(settled) != 1 {
				t.Errorf("the target was left alone %d times, and once is enough for all ledgers: %v", len(settled), settled)
			}
			for i, want := range []scenarios.Verdict{
				scenarios.Pass, scenarios.Pass, scenarios.Fail, scenarios.Fail, scenarios.Pass,
			} {
				if o := res.Objectives[i]; o.Verdict != want {
					t.Errorf("%s: %s, measured %v (%s)", o.Text, o.Verdict, o.Measured, o.Note)
				}
			}
		})
	}
}
