//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/reporters/evidence"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// A halfSender acknowledges orders, and posts the webhook of every second one. It keeps a log of its own.
type halfSender struct {
	hook string

	mu     sync.Mutex
	acked  map[string]time.Time // by id
	posted map[string]bool      // taken by brunt
	under  sync.WaitGroup
}

func (s *halfSender) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1000))
	var order struct {
		ID string `json:"order_id"`
	}
	_ = json.Unmarshal(body, &order)
	w.WriteHeader(http.StatusAccepted)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acked[order.ID] = time.Now(); len(s.acked)%2 == 0 {
		return
	}
	s.under.Go(func() {
		answer, err := http.Post(s.hook, "application/json", bytes.NewReader(body))
		if err != nil {
			return
		}
		answer.Body.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.posted[order.ID] = answer.StatusCode == http.StatusNoContent
	})
}

// TestKilled_Deliveries kills brunt while messages are under way. The folder tells of each message of the log of the
// system what brunt knew of it, and `brunt report` counts the messages without a webhook as unknown.
func TestKilled_Deliveries(t *testing.T) {
	if testing.Short() {
		t.Skip("5 s")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	s := &halfSender{hook: "http://" + at + "/hook", acked: map[string]time.Time{}, posted: map[string]bool{}}
	server := httptest.NewServer(s)
	defer server.Close()
	run := startSeries(t, "no line has this", fmt.Sprintf(`version: 1
target: {url: "%s"}
load:
  shop:
    executor: constant-arrival-rate
    rate: 100/s
    duration: 60s
    flow: [{post: /orders, name: create, json: {order_id: "${delivery.id}"}}]
deliveries: {order: {sent: create, seen: {http: "%s/hook", id: "$.order_id"}, within: 20s}}
slo: [lost = 0 of order]
`, server.URL, at), "run", "s.yaml", "-o", "out")
	if !suite.Within(30*time.Second, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.acked) >= 200
	}) {
		_ = run.process.Process.Kill()
		run.wait(t)
		t.Fatalf("200 orders did not come in 30 s\n%s", &run.said)
	}
	killed := time.Now()
	if err := run.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	run.wait(t)
	server.Close()
	s.under.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()

	dir := filepath.Join(run.folder, "out")
	knew := sentEvents(t, filepath.Join(dir, result.SentFile))
	early, unseen := 0, 0
	const batch = time.Second // of lines; 50 ms on an idle machine
	for id, when := range s.acked {
		is := knew[id]
		if when.After(killed.Add(-batch)) {
			continue // its line may not have been written
		}
		early++
		if !is[result.DeliveryAcknowledged] {
			t.Errorf("%s was acknowledged %s before the end, and the file does not say so: %v", id, killed.Sub(when), is)
		}
		if is[result.DeliverySeen] != s.posted[id] {
			t.Errorf("%s: seen by the file: %t, posted by the system: %t", id, is[result.DeliverySeen], s.posted[id])
		}
		if !s.posted[id] {
			unseen++
		}
	}
	for id := range knew {
		if _, is := s.acked[id]; !is && knew[id][result.DeliveryAcknowledged] {
			t.Errorf("%s was never acknowledged", id)
		}
	}
	all, err := evidence.ReadUnfinishedDeliveries(dir)
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	if d := all[0]; early < 50 || unseen < 25 || d.Unknown < int64(unseen) ||
		d.Unknown > int64(unseen+len(s.acked)-early) {
		t.Errorf("%+v; %d of the first %d have no webhook, of %d", d, unseen, early, len(s.acked))
	}
	said, _ := run.command("report", "out").CombinedOutput()
	want := fmt.Sprintf("of which %d not seen yet: what became of them is unknown", all[0].Unknown)
	if !strings.Contains(strings.Join(strings.Fields(string(said)), " "), want) {
		t.Errorf("%q is missing in:\n%s", want, said)
	}
	run.nothingLeft(t)
}

// sentEvents reads what the file of a killed run says of each message, by its id.
func sentEvents(t *testing.T, file string) map[string]map[result.DeliveryEventKind]bool {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, ids := map[string]map[result.DeliveryEventKind]bool{}, map[uint64]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e result.DeliveryEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.ID != "" {
			ids[e.N], out[e.ID] = e.ID, map[result.DeliveryEventKind]bool{}
		}
		out[ids[e.N]][e.Is] = true
	}
	return out
}
