package run_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// A queueSystem takes orders and keeps what it sends in a list, which it can be asked for in three ways. It plants
// defects by the number of an order, and keeps a log of its own: the list.
type queueSystem struct {
	fate func(n int) (times int, after time.Duration)
	tell func(id string) // sends a message elsewhere, as well as to the list; nil: it does not

	mu    sync.Mutex
	acked []string
	list  []string // ids in the order in which they were sent
	taken int      // how many of the list /take has handed out
	down  bool     // questions are refused
	hit   bool     // a fault is in
	under sync.WaitGroup
}

func (s *queueSystem) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPut {
		s.hit = r.URL.Path == "/hit"
		return
	}
	if r.Method == http.MethodPost {
		b, _ := io.ReadAll(io.LimitReader(r.Body, 1000))
		id := string(b)
		times, after := s.fate(len(s.acked))
		s.acked = append(s.acked, id)
		s.under.Go(func() {
			<-time.After(after)
			s.mu.Lock()
			defer s.mu.Unlock()
			for range times {
				s.list = append(s.list, id)
				if s.tell != nil {
					s.tell(id)
				}
			}
		})
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if s.down || r.URL.Path == "/hit" && !s.hit {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	type row struct {
		N     int    `json:"n"`
		Order string `json:"order"` // a document in a text, as queues carry it
	}
	rows, from := []row{}, 0
	switch r.URL.Path {
	case "/after":
		from, _ = strconv.Atoi(r.URL.Query().Get("n"))
	case "/take":
		from, s.taken = s.taken, len(s.list)
	}
	for n := from; n < len(s.list); n++ {
		rows = append(rows, row{n + 1, fmt.Sprintf(`{"id": %q}`, s.list[n])})
	}
	_ = json.NewEncoder(w).Encode(rows)
}

// runQueue runs a load of 100 orders a second, which is followed in three ways. It returns the deliveries by name, and
// the listed messages.
func runQueue(t *testing.T, s *queueSystem, seconds int, within, more string) (
	*result.Result, map[string]*result.DeliveryRecord, []result.DeliveryKey,
) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "deliveries.jsonl")
	each := `each: "$[*].order", id: "$.id"}, within: ` + within + `, settle: 1500ms}`
	res := runOnce(t, fmt.Sprintf(`
version: 1
target: {url: "%s"}
load:
  shop:
    executor: constant-arrival-rate
    rate: 100/s
    duration: %ds
    flow: [{post: /, name: create, body: "${delivery.id}"}]
deliveries:
  placed: {sent: create, seen: {ask: {get: "/after?n=${var.after}"}, from: {get: /all}, after: "$[*].n", every: 20ms, %s
  whole: {sent: create, seen: {ask: {get: /all}, repeats: on, every: 20ms, %s
  taken: {sent: create, seen: {ask: {get: /take}, every: 20ms, %s
%s`, server.URL, seconds, each, each, each, strings.ReplaceAll(more, "SERVER", server.URL)),
		run.Options{Deliveries: file})
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
	by := map[string]*result.DeliveryRecord{}
	for _, d := range res.Deliveries {
		by[d.Name] = d
	}
	return res, by, lines
}

// TestDeliveries_Asked plants lost, doubled and late messages, and compares what each way to ask finds with the list
// of the system, message by message. Messages of before the run do not count.
func TestDeliveries_Asked(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	s := &queueSystem{list: []string{"0000000000000001", "an old one"}, fate: func(n int) (int, time.Duration) {
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
	res, by, lines := runQueue(t, s, 3, "500ms", "slo: [lost = 0 of placed, duplicated < 100 of whole, errors < 1% of create]")
	sent := map[string]int{}
	for _, id := range s.list {
		sent[id]++
	}
	lost, doubled := 0, 0
	for _, id := range s.acked {
		switch sent[id] {
		case 0:
			lost++
		case 2:
			doubled++
		}
	}
	if len(s.acked) != 300 || lost != 10 || doubled != 10 {
		t.Fatalf("the system: %d orders, %d lost, %d doubled", len(s.acked), lost, doubled)
	}
	for name, d := range by {
		if d.Acknowledged != 300 || d.Lost != 10 || d.Duplicated != 10 || d.Late != 10 || !d.Settled || d.Sightings != 300 ||
			d.Present+d.Unreadable+d.Unknown+d.Failed != 0 || d.Questions < 50 || d.Resolution < .02 || d.Resolution > 2 {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if by["placed"].Foreign != 0 { // they are before the place at which it begins
		t.Errorf("%d messages of before the run", by["placed"].Foreign)
	}
	for _, k := range lines {
		want := map[result.DeliveryState]int{
			result.DeliveryLost: 0, result.DeliveryDuplicated: 2, result.DeliveryLate: 1,
		}[k.State]
		if sent[k.ID] != want || k.Sightings != int64(want) {
			t.Errorf("%s of %s: %s, seen %d times; the system sent it %d times", k.ID, k.Delivery, k.State, k.Sightings,
				sent[k.ID])
		}
	}
	for i, want := range []scenarios.Verdict{scenarios.Fail, scenarios.Pass, scenarios.Pass} {
		if o := res.Objectives[i]; o.Verdict != want {
			t.Errorf("%s: %s, want %s: %v", o.Text, o.Verdict, want, o.Because)
		}
	}
}

// TestDeliveries_Unasked: while no question is answered, nothing is lost to brunt if a later answer has what came
// meanwhile. If answers are handed out once, what is not seen is unknown, and not lost.
func TestDeliveries_Unasked(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	s := &queueSystem{}
	s.fate = func(n int) (int, time.Duration) {
		s.down = n >= 100 && n < 150 // s.mu is held
		if n == 120 || n == 250 {
			return 0, 0
		}
		return 1, 0
	}
	res, by, _ := runQueue(t, s, 3, "500ms", "slo: [lost = 0 of placed, lost = 0 of whole, lost = 0 of taken]")
	for name, d := range by {
		lost, unknown := int64(2), int64(0)
		if name == "taken" {
			lost, unknown = 1, 1
		}
		if d.Lost != lost || d.Unknown != unknown || d.Failed == 0 || d.FailedBecause != "GET /take: status 503" &&
			name == "taken" || d.Duplicated != 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
	for _, o := range res.Objectives {
		if o.Verdict != scenarios.Fail {
			t.Errorf("%s: %s: %v", o.Text, o.Verdict, o.Because)
		}
	}
}

// TestDeliveries_Fault: messages that a system loses while a fault is in are an impact of the fault, even if no request
// fails, and exactly those of its own log. Messages that it loses all the time are not.
func TestDeliveries_Fault(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	for _, c := range []struct {
		name     string
		loses    func(s *queueSystem, n int) bool
		impacted bool
	}{
		{"lost to the fault", func(s *queueSystem, n int) bool { return s.hit && n%2 == 0 }, true},
		{"lost all the time", func(_ *queueSystem, n int) bool { return n%3 == 0 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &queueSystem{}
			s.fate = func(n int) (int, time.Duration) {
				if c.loses(s, n) {
					return 0, 0
				}
				return 1, 0
			}
			res, by, lines := runQueue(t, s, 5, "200ms", `
judge: {hold: 1s}
chaos: {spill: {at: 2s, for: 900ms, call: {inject: {put: /hit}, revert: {put: /over}, verify: {get: "SERVER/hit"}}}}
slo: [lost = 0 of placed]
`)
			sent := map[string]bool{}
			for _, id := range s.list {
				sent[id] = true
			}
			lost, to := int64(0), int64(0)
			for _, id := range s.acked {
				if !sent[id] {
					lost++
				}
			}
			if c.impacted {
				to = lost
			}
			if lost < 30 {
				t.Fatalf("the system lost %d of %d", lost, len(s.acked))
			}
			for name, d := range by {
				if d.Lost != lost || d.LostTo["spill"] != to || d.Held+d.Late != int64(len(s.acked))-lost ||
					d.Duplicated+d.Unknown != 0 {
					t.Errorf("%s: %+v; the system lost %d", name, d, lost)
				}
			}
			for _, k := range lines {
				if k.State == result.DeliveryLate { // on a busy machine
					continue
				}
				if k.State != result.DeliveryLost || sent[k.ID] || (k.Fault == "spill") != c.impacted {
					t.Errorf("%+v", k)
				}
			}
			f := &res.Faults[0]
			if f.Parts == nil {
				t.Fatalf("%+v", f)
			}
			if f.Parts.LostMessages != 3*to || f.Parts.Lost != 3*to ||
				!f.OnsetAt.Known() && (words.FaultOutcome(f) == "messages lost") != c.impacted {
				t.Errorf("%s: %+v, parts %+v", words.FaultOutcome(f), f, f.Parts)
			}
		})
	}
}
