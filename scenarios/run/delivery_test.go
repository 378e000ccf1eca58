package run_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// A hookSystem takes orders and posts a webhook for each, with the defects that a test plants. It keeps a log
// of its own.
type hookSystem struct {
	hook string
	// what becomes of order n: how often it is posted, and after which pause
	fate func(n int) (times int, after time.Duration)

	mu     sync.Mutex
	acked  []string       // ids of answered orders, in order
	posted map[string]int // how often the hook took each
	under  sync.WaitGroup
}

func (s *hookSystem) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1000))
	var order struct {
		ID string `json:"order_id"`
	}
	_ = json.Unmarshal(body, &order)
	s.mu.Lock()
	n := len(s.acked)
	s.acked = append(s.acked, order.ID)
	s.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	times, after := s.fate(n)
	s.under.Go(func() {
		if after > 0 {
			<-time.After(after)
		}
		for range times {
			answer, err := http.Post(s.hook, "application/json", bytes.NewReader(body))
			if err != nil {
				return
			}
			answer.Body.Close()
			if answer.StatusCode == http.StatusNoContent {
				s.mu.Lock()
				s.posted[order.ID]++
				s.mu.Unlock()
			}
		}
	})
}

// freeAddress returns an address of loopback at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// delivered runs a load of 300 orders with a system, and returns the result and the lines of deliveries.jsonl.
func delivered(t *testing.T, s *hookSystem, more string) (*result.Result, []result.DeliveryKey) {
	t.Helper()
	at := freeAddress(t)
	s.hook, s.posted = "http://"+at+"/hook", map[string]int{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "deliveries.jsonl")
	res := runOnce(t, fmt.Sprintf(`
version: 1
target: {url: "%s"}
load:
  shop:
    executor: constant-arrival-rate
    rate: 100/s
    duration: 3s
    flow:
      - post: /orders
        name: create
        json: {order_id: "${delivery.id}", customer: "c${int(1,3)}"}
deliveries:
  order: {sent: create, seen: {http: "%s/hook", id: "$.order_id"}, key: "$.customer", within: 500ms, settle: 1500ms}
%s`, server.URL, at, more), run.Options{Deliveries: file})
	s.under.Wait()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []result.DeliveryKey
	for d := json.NewDecoder(bytes.NewReader(b)); d.More(); {
		var k result.DeliveryKey
		if err := d.Decode(&k); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, k)
	}
	return res, lines
}

// TestDeliveries plants lost, doubled and late webhooks, and compares brunt's counts with the log of the
// system, row by
// row.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	s := &hookSystem{fate: func(n int) (times int, after time.Duration) {
		switch {
		case n%30 == 7:
			return 0, 0
		case n%30 == 11:
			return 2, 0
		case n%30 == 19:
			return 1, 900 * time.Millisecond
		}
		return 1, 0
	}}
	res, lines := delivered(t, s, `
slo:
  - errors < 1% of create
  - errors < 50% of order
  - lost = 0 of order
  - duplicated < 100 of order
`)
	d := res.Deliveries[0]
	lost, doubled, seen := 0, 0, 0
	for _, id := range s.acked {
		seen += s.posted[id]
		switch s.posted[id] {
		case 0:
			lost++
		case 2:
			doubled++
		}
	}
	if len(s.acked) != 300 || lost != 10 || doubled != 10 {
		t.Fatalf("the system: %d orders, %d lost, %d doubled", len(s.acked), lost, doubled)
	}
	if d.Acknowledged != 300 || d.Lost != 10 || d.Duplicated != 10 || d.Late != 10 || d.Sightings != int64(seen) ||
		!d.Settled || d.Present+d.Foreign+d.Unreadable+d.Unknown != 0 {
		t.Errorf("%+v", d)
	}
	states := map[result.DeliveryState]int{}
	for _, k := range lines {
		states[k.State]++
		if want := map[result.DeliveryState]int{
			result.DeliveryLost: 0, result.DeliveryDuplicated: 2, result.DeliveryLate: 1, result.DeliveryReordered: 1,
		}[k.State]; s.posted[k.ID] != want || k.Sightings != int64(want) {
			t.Errorf("%s: %s, seen %d times; the system posted it %d times", k.ID, k.State, k.Sightings, s.posted[k.ID])
		}
	}
	// a late webhook comes after those of later orders of its customer; others may pass each other by chance
	if states[result.DeliveryLost] != 10 || states[result.DeliveryDuplicated] != 10 ||
		states[result.DeliveryLate]+states[result.DeliveryReordered] < 10 || d.Reordered < 9 {
		t.Errorf("%v, %d reordered", states, d.Reordered)
	}
	if row := rowOf(res, "order"); row["ok"] != 280 || row["error"] != 20 { // lost and late ones are not seen in time
		t.Errorf("the row of the delivery: %v", row)
	}
	for _, o := range res.Objectives {
		if want := map[bool]scenarios.Verdict{true: scenarios.Fail, false: scenarios.Pass}[o.Text == "lost = 0 of order"]; o.
			Verdict != want {
			t.Errorf("%s: %s, want %s: %v", o.Text, o.Verdict, want, o.Because)
		}
	}
	if d.Held != 300-int64(len(lines)) {
		t.Errorf("%d held, and %d are listed", d.Held, len(lines))
	}
}

// TestDeliveries_Right sends all webhooks once, and so fast that some come before their order is answered.
func TestDeliveries_Right(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	s := &hookSystem{fate: func(int) (int, time.Duration) { return 1, 0 }}
	res, lines := delivered(t, s, `
slo: [p95 < 400ms of order, lost = 0 of order, duplicated = 0 of order]
`)
	if d := res.Deliveries[0]; d.Held+d.Reordered != 300 || d.Lost+d.Duplicated+d.Late != 0 ||
		len(lines) != int(d.Reordered) {
		t.Errorf("%+v", d)
	}
	for _, o := range res.Objectives {
		if o.Verdict != scenarios.Pass {
			t.Errorf("%s: %s: %v", o.Text, o.Verdict, o.Because)
		}
	}
}

// rowOf counts the outcomes of a step over the run.
func rowOf(res *result.Result, step string) map[string]int64 {
	out := map[string]int64{}
	for _, c := range res.Cells {
		if c.Step == step && c.Phase.String() == "run" && c.Load == "shop" {
			out[c.Outcome] += c.Count
		}
	}
	return out
}
