package run_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/amqp"
	"brunt/targets/nats"
	"brunt/targets/targetstest"
)

// TestDeliveries_Brokers plants lost, doubled and late messages of a system that sends them by RabbitMQ and NATS, and
// compares what is seen at each broker with the list of the system, message by message. The server of NATS pings each
// second, as it does after some silence, and ends connections that leave it unanswered.
func TestDeliveries_Brokers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 25 s")
	}
	const rabbit = "/usr/lib/rabbitmq/bin/rabbitmq-server" // in PATH is a wrapper that starts it as another user
	suite.Program(t, "rabbitmq-server", "rabbitmq-server", rabbit)
	suite.Program(t, "epmd", "erlang-base")
	suite.Program(t, "nats-server", "nats-server, or build it as .ci/prepare does")
	dir, ports := t.TempDir(), freePorts(t, 3)
	for name, text := range map[string]string{
		"rabbitmq.conf": fmt.Sprintf("listeners.tcp.1 = 127.0.0.1:%d\nlog.console = true\nlog.file = false\n", ports[0]),
		"plugins":       "[].\n",
		"nats.conf":     "ping_interval: \"1s\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &queueSystem{fate: func(n int) (int, time.Duration) {
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
	tellRabbit := sync.OnceValue(func() func(id string) {
		return teller(t, amqp.Descriptor(), fmt.Sprintf("amqp://127.0.0.1:%d", ports[0]),
			`{amqp.publish: "", exchange: amq.fanout, mandatory: off, message: {json: {id: "${var.id}"}}}`)
	})
	tellNATS := sync.OnceValue(func() func(id string) {
		return teller(t, nats.Descriptor(), fmt.Sprintf("nats://127.0.0.1:%d", ports[2]),
			`{nats.publish: orders, message: {json: {id: "${var.id}"}}}`)
	})
	s.tell = func(id string) {
		tellRabbit()(id)
		tellNATS()(id)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	file := filepath.Join(dir, "deliveries.jsonl")
	res := runOnce(t, strings.NewReplacer("DIR", dir, "PROGRAM", rabbit, "SHOP", server.URL, "PORT0", fmt.Sprint(ports[0]),
		"PORT1", fmt.Sprint(ports[1]), "PORT2", fmt.Sprint(ports[2])).Replace(`
version: 1
target:
  entry: rabbit
  processes:
    names: {command: [epmd, -port, "${self.port}"]}
    rabbit:
      command: [PROGRAM]
      port: PORT0
      env: {HOME: DIR, RUNNING_UNDER_SYSTEMD: "1", RABBITMQ_NODENAME: "brunt${self.port}@localhost",
        RABBITMQ_MNESIA_BASE: DIR/mnesia, RABBITMQ_LOG_BASE: DIR, RABBITMQ_CONFIG_FILE: DIR/rabbitmq.conf,
        RABBITMQ_ENABLED_PLUGINS_FILE: DIR/plugins, RABBITMQ_CONF_ENV_FILE: /dev/null,
        ERL_EPMD_PORT: "${unit.names.port}", ERL_EPMD_ADDRESS: 127.0.0.1, RABBITMQ_DIST_PORT: "PORT1"}
      ready: {tcp: true, within: 60s}
    nats:
      command: [nats-server, -c, DIR/nats.conf, -a, 127.0.0.1, -p, "${self.port}"]
      port: PORT2
      ready: {tcp: true, within: 20s}
  endpoints: {shop: "SHOP", queues: "amqp://${unit.rabbit.addr}", subjects: "nats://${unit.nats.addr}"}
setup:
  - {amqp.declare: plain, exchange: amq.fanout, type: fanout, at: queues}
  - {amqp.declare: kept, exchange: amq.fanout, type: fanout, at: queues}
load:
  shop: {executor: constant-arrival-rate, rate: 50/s, duration: 12s, flow: [
    {post: /, at: shop, name: create, body: "${delivery.id}"}]}
deliveries:
  plain: {sent: create, seen: {ask: {amqp.consume: plain, at: queues}, id: $.id}, within: 500ms, settle: 2s}
  kept: {sent: create, seen: {ask: {amqp.consume: kept, keep: user, at: queues}, id: $.id}, within: 500ms, settle: 2s}
  subscribed:
    {sent: create, seen: {ask: {nats.subscribe: orders, keep: user, at: subjects}, id: $.id}, within: 500ms, settle: 2s}
slo: [lost = 0 of plain, lost = 0 of kept, lost = 0 of subscribed]
`), run.Options{Deliveries: file})
	s.under.Wait()
	sent := map[string]int64{}
	for _, id := range s.list {
		sent[id]++
	}
	if len(s.acked) != 600 || len(s.list) != 600 {
		t.Fatalf("the system has %d orders, and sent %d messages: %+v %v", len(s.acked), len(s.list), res.Reasons, res.Notes)
	}
	for _, d := range res.Deliveries {
		if d.Acknowledged != 600 || d.Lost != 20 || d.Duplicated != 20 || d.Late < 20 || d.Sightings != 600 ||
			!d.Settled || d.Present+d.Unreadable+d.Unknown+d.Failed+d.Foreign != 0 {
			t.Errorf("%s: %+v", d.Name, d)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for d := json.NewDecoder(bytes.NewReader(b)); d.More(); lines++ {
		var k result.DeliveryKey
		if err := d.Decode(&k); err != nil {
			t.Fatal(err)
		}
		if k.Sightings != sent[k.ID] || (k.State == result.DeliveryLost) != (sent[k.ID] == 0) {
			t.Errorf("%s of %s: %s, seen %d times; the system sent it %d times", k.ID, k.Delivery, k.State, k.Sightings,
				sent[k.ID])
		}
	}
	if lines < 3*60 {
		t.Errorf("%d messages are listed", lines)
	}
	for _, o := range res.Objectives {
		if o.Verdict != scenarios.Fail {
			t.Errorf("%s: %s: %v", o.Text, o.Verdict, o.Because)
		}
	}
}

// teller returns a function that sends a message with an id by a step, and waits until the broker has it.
func teller(t *testing.T, d *targets.Descriptor, base, step string) func(id string) {
	t.Helper()
	f, t0 := targetstest.Compile(t, d, "", step), time.Now()
	c, err := d.Client(targets.Options{Base: base, T0: t0, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	u := f.Open(t, c, t0, 0)
	return func(id string) {
		u.It.Vars[slices.Index(f.Vars, "id")].SetText(id)
		if out := u.Do(0, 10*time.Second); out.Kind != scenarios.OK {
			t.Errorf("%s: %s", step, f.Causes().Name(out.Cause))
		}
	}
}
