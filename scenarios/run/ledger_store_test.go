//go:build unix

package run_test

import (
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/run"
)

// TestLedger_Stores loses four of forty writes in memcached, in the messages that a broker of MQTT retains, and in a
// stream of JetStream. The ledger finds these four. A read that finds whatever it asks for proves nothing.
func TestLedger_Stores(t *testing.T) {
	t.Parallel()
	const set = `{memcached.set: "order:${data.orders.value}", name: write, message: tea}`
	const remove = `{memcached.delete: "order:${data.lost.value}"}`
	for _, c := range []struct {
		name              string
		start             func(*testing.T) string
		setup             string
		write, lose, read string
		note              string // why the ledger proves nothing
	}{
		{"memcached", newMemcached, "", set, remove, `{memcached.get: "order:${id}"}`, ""},
		{
			"memcached by set", newMemcached, "", set, remove, `{memcached.set: "order:${id}", message: tea}`,
			"finds a write that never existed",
		},
		{
			"mqtt", newMosquitto, "",
			`{mqtt.publish: "orders/${data.orders.value}", retain: on, name: write, message: tea}`,
			`{mqtt.publish: "orders/${data.lost.value}", retain: on}`,
			`{mqtt.subscribe: "orders/${id}", within: 200ms}`, "",
		},
		{
			"jetstream", newNATS,
			`setup: [{nats.request: $JS.API.STREAM.CREATE.ORDERS, message: {json: {name: ORDERS, subjects: ["orders.>"]}}}]`,
			`{nats.publish: "orders.${data.orders.value}", ack: stream, name: write, message: tea}`,
			`{nats.request: $JS.API.STREAM.PURGE.ORDERS, message: {json: {filter: "orders.${data.lost.value}"}}}`,
			`{nats.request: $JS.API.STREAM.MSG.GET.ORDERS, message: {json: {last_by_subj: "orders.${id}"}}}`, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res := runOnce(t, fmt.Sprintf(`
version: 1
target: {endpoints: {store: %q}}
%s
data: {orders: {range: 1000..1039, pick: unique}, lost: {range: 1010..1013, pick: unique}}
load:
  shop: {executor: shared-iterations, vus: 4, iterations: 40, flow: [%s]}
  thief: {start: 1s, executor: shared-iterations, vus: 1, iterations: 4, flow: [%s]}
ledger: {write: write, id: "${data.orders.value}", read: %s, settle: 0s, within: 3s}
slo: [lost = 0]
`, c.start(t), c.setup, c.write, c.lose, c.read), run.Options{})
			l := res.Ledger
			switch {
			case l == nil:
				t.Fatalf("no ledger; %+v", res.Errors)
			case c.note != "":
				if l.Read || !strings.Contains(l.Note, c.note) {
					t.Errorf("the ledger is read: %+v", l)
				}
				return
			case !l.Read || l.Acknowledged != 40 || l.Held != 36 || l.Lost != 4:
				t.Errorf("want 36 held and 4 lost: %+v", l)
			}
			if o := res.Objectives[0]; o.Verdict != scenarios.Fail {
				t.Errorf("%s: %s", o.Text, o.Verdict)
			}
		})
	}
}
