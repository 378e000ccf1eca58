package run_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/run"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// TestDeliveries_Redis sees messages in a real Redis in five ways, as in the README of the example of deliveries.
func TestDeliveries_Redis(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 4 s")
	}
	bus := newRedis(t)
	const of = "within: 1s, settle: 1s}\n"
	res := runOnce(t, `
version: 1
target: {endpoints: {bus: "`+bus+`"}}
setup: [{redis: [XADD, orders, "*", id, old]}]
load:
  shop:
    executor: constant-arrival-rate
    rate: 100/s
    duration: 2s
    flow:
      - {redis: [XADD, orders, "*", id, "${delivery.id}"], name: add}
      - {redis: [RPUSH, list, "{\"id\": \"${delivery.id}\"}"], name: push}
      - {redis: [RPUSH, queue, "${delivery.id}"], name: queue}
      - {redis: [RPUSH, popped, "${delivery.id}"], name: leave}
deliveries:
  stream: {sent: add, seen: {ask: {redis: [XRANGE, orders, "(${var.after}", +, COUNT, 1000]}, `+
		`from: {redis: [XREVRANGE, orders, +, "-", COUNT, 1]}, after: "$[*][0]", each: "$[*][1]", id: "$[1]", every: 50ms}, `+of+
		`  block: {sent: add, seen: {ask: {redis: [XREAD, COUNT, 500, BLOCK, 200, STREAMS, orders, "${var.after}"]}, `+
		`after: "$.orders[*][0]", each: "$.orders[*][1]", id: "$[1]"}, `+of+
		`  list: {sent: push, seen: {ask: {redis: [LRANGE, list, 0, -1]}, repeats: on, each: "$[*]", id: "$.id", `+
		`every: 50ms}, `+of+
		`  taken: {sent: queue, seen: {ask: {redis: [BLPOP, queue, 1]}, each: "$[1]", id: "$"}, `+of+`
  popped: {sent: leave, seen: {ask: {redis: [LPOP, popped]}, id: "$", every: 100ms}, `+of+`
slo: [lost = 0 of stream, lost = 0 of block, lost = 0 of list, lost = 0 of taken, lost = 0 of popped]
`, run.Options{})
	for _, d := range res.Deliveries {
		if d.Acknowledged != 200 || d.Held+d.Late != 200 || d.Sightings != 200 || d.Resolution > .2 ||
			d.Foreign+d.Failed+d.Unreadable+d.Unknown != 0 {
			t.Errorf("%+v", d)
		}
	}
}

// A feed sends each order to all that read it, over WebSocket.
type feed struct {
	mu      sync.Mutex
	readers []io.Writer
	sent    int // messages that were written to some reader
}

func (f *feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		c, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			return
		}
		f.mu.Lock()
		f.readers = append(f.readers, c)
		f.mu.Unlock()
		return
	}
	b, _ := io.ReadAll(io.LimitReader(r.Body, 1000))
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, to := range f.readers {
		if wsutil.WriteServerText(to, b) == nil {
			f.sent++
		}
	}
}

// TestDeliveries_WebSocket: a message is seen when it was read from the connection, and the stream is opened once.
func TestDeliveries_WebSocket(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 4 s")
	}
	f := &feed{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	began := time.Now()
	res := runOnce(t, fmt.Sprintf(`
version: 1
target: {url: %q, endpoints: {feed: "ws://%s"}}
load:
  shop:
    executor: constant-arrival-rate
    rate: 100/s
    duration: 2s
    flow: [{post: /, name: create, json: {order: {id: "${delivery.id}"}}}]
deliveries:
  order:
    sent: create
    seen: {ask: [{ws: /feed, as: feed, keep: user}, {await: exists, from: feed, within: 200ms}], id: "$.order.id"}
    within: 1s
    settle: 1s
slo: [lost = 0 of order]
`, server.URL, strings.TrimPrefix(server.URL, "http://")), run.Options{})
	f.mu.Lock()
	defer f.mu.Unlock()
	d := res.Deliveries[0]
	if d.Acknowledged != 200 || d.Held+d.Late != 200 || f.sent != 200 || d.Sightings != 200 || len(f.readers) != 1 ||
		d.Failed+d.Unreadable+d.Unknown+d.Duplicated != 0 || d.Resolution > result.Num(time.Since(began).Seconds()) {
		t.Errorf("%d readers, %d sent: %+v", len(f.readers), f.sent, d)
	}
}
