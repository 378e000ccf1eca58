package amqp_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/targetstest"
)

// broker is a RabbitMQ that ends with the test.
type broker struct {
	*exec.Cmd
	t    *testing.T
	env  []string
	addr string
}

// the program that the wrapper in PATH starts as another user
const program = "/usr/lib/rabbitmq/bin/rabbitmq-server"

func startBroker(t *testing.T) *broker {
	t.Helper()
	suite.Program(t, "rabbitmq-server", "rabbitmq-server")
	if testing.Short() {
		t.Skip("RabbitMQ takes 5 s to start")
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip(err)
	}
	epmd, port, own, dir := freePort(t), freePort(t), freePort(t), t.TempDir()
	files := map[string]string{
		"rabbitmq.conf":   "listeners.tcp.1 = 127.0.0.1:" + port + "\nlog.console = true\nlog.file = false\n",
		"enabled_plugins": "[].\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := &broker{t: t, addr: "127.0.0.1:" + port, env: append(
		os.Environ(), "HOME="+dir, "RUNNING_UNDER_SYSTEMD=1", "RABBITMQ_NODENAME=test"+port+"@localhost",
		"RABBITMQ_MNESIA_BASE="+dir+"/mnesia", "RABBITMQ_LOG_BASE="+dir+"/log", "RABBITMQ_CONFIG_FILE="+dir+"/rabbitmq.conf",
		"RABBITMQ_ENABLED_PLUGINS_FILE="+dir+"/enabled_plugins", "RABBITMQ_CONF_ENV_FILE=/dev/null",
		"ERL_EPMD_PORT="+epmd, "ERL_EPMD_ADDRESS=127.0.0.1", "RABBITMQ_DIST_PORT="+own,
	)}
	names := exec.Command(suite.Program(t, "epmd", "erlang-base"), "-port", epmd) // else the broker leaves one behind
	if err := names.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = names.Process.Kill()
		_ = names.Wait()
	})
	await(t, "127.0.0.1:"+epmd)
	b.start()
	t.Cleanup(b.kill)
	return b
}

func (b *broker) start() {
	b.t.Helper()
	b.Cmd = exec.Command(program)
	b.Env = b.env
	if err := b.Start(); err != nil {
		b.t.Fatal(err)
	}
	await(b.t, b.addr)
}

// kill ends the broker as a crash does.
func (b *broker) kill() {
	if b.ProcessState == nil {
		_ = b.Process.Kill()
		_ = b.Wait()
	}
}

func await(t *testing.T, addr string) {
	t.Helper()
	suite.Until(t, addr+" to listen", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// TestReal: RabbitMQ agrees with each kind of step. After a crash a durable queue has its persistent messages, and
// has lost the others. The broker's own count is the truth.
func TestReal(t *testing.T) {
	b := startBroker(t)
	depth := func(n int) string { return fmt.Sprintf(`{amqp.depth: kept, check: {$.messages: %d}}`, n) }
	steps := []struct{ step, want string }{
		{`{amqp.depth: kept}`, "error, error 404"},
		{`{amqp.publish: kept}`, "error, error 312"},
		{`{amqp.publish: kept, mandatory: off}`, "ok"}, // it vanishes
		{`{amqp.publish: kept, exchange: nowhere}`, "error, error 404"},
		{`{amqp.publish: kept, exchange: nowhere, confirm: off}`, "error, error 404"},
		{`{amqp.declare: kept, exchange: orders, type: topic, binding: "order.*", check: {$.messages: 0}}`, "ok"},
		{`{amqp.declare: kept, durable: off}`, "error, error 406"},
		{`{amqp.publish: kept, message: one, headers: {a: b}}`, "ok"},
		{`{amqp.publish: order.new, exchange: orders, message: two}`, "ok"},
		{`{amqp.publish: kept, confirm: off, message: three}`, "ok"},
		{depth(3), "ok"},
		{`{amqp.consume: kept, check: {text: one}}`, "ok"},
		{depth(2), "ok"},
		{`{amqp.consume: kept, ack: off, check: {text: two}}`, "ok"},
		{depth(2), "ok"},
		{`{amqp.consume: kept, check: {text: two}}`, "ok"},
		{depth(1), "ok"},
		{`{amqp.publish: kept, message: four, persistent: off}`, "ok"},
		{"crash", ""}, // it may forget acknowledgements, but no persistent message
		{`{amqp.consume: kept, messages: 9, check: {$: contains three, "$[*]": not contains four}}`, "ok"},
		{depth(0), "ok"},
		{`{amqp.consume: kept, within: 50ms, check: {$: absent}}`, "ok"},
		{`{amqp.consume: nowhere, within: 50ms}`, "error, error 404"},
		{`{amqp.declare: full, arguments: {x-max-length: 1, x-overflow: reject-publish}}`, "ok"},
		{`{amqp.publish: full}`, "ok"},
		{`{amqp.publish: full}`, "error, error nack"},
		{`{amqp.publish: full, confirm: off}`, "ok"}, // without a confirm it vanishes
		{`{amqp.depth: full, check: {$.messages: 1}}`, "ok"},
		{`{amqp.call: nowhere}`, "error, error 312"},
	}
	var texts []string
	for _, s := range steps {
		if s.step != "crash" {
			texts = append(texts, s.step)
		}
	}
	kept := new(targetstest.Sampler)
	f := newFixture(t, targets.Options{Base: "amqp://" + b.addr, Sampler: kept}, texts...)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	i := 0
	for _, s := range steps {
		if s.step == "crash" {
			b.kill()
			b.start()
			continue
		}
		if got := f.Got(u.Do(i, long)); got != s.want {
			t.Fatalf("%s: got %s, want %s; %s", s.step, got, s.want, kept.Message())
		}
		i++
	}
	t.Run("call", func(t *testing.T) { calls(t, b) })
	t.Run("keep", func(t *testing.T) { keeps(t, b) })
	t.Run("again", func(t *testing.T) { again(t, b) })
	t.Run("frozen", func(t *testing.T) { frozen(t, b) })
}

// calls: a reply belongs to its call, also behind one that came too late.
func calls(t *testing.T, b *broker) {
	f := newFixture(t, targets.Options{Base: "amqp://" + b.addr}, "amqp.declare: rpc",
		`{amqp.call: rpc, message: "${var.n}", check: {text: "${var.n}"}}`)
	if out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long); out.Kind != scenarios.OK {
		t.Fatalf("%+v", out)
	}
	served := serve(t, b.addr, "rpc")
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	for i := range 20 {
		u.It.Vars[slices.Index(f.Vars, "n")].SetText(fmt.Sprint(i))
		if out := u.Do(1, long); out.Kind != scenarios.OK || !out.WasSent {
			t.Fatalf("%d: %s, %+v", i, f.Got(out), out)
		}
	}
	if n := served(); n != 20 {
		t.Errorf("the service had %d calls", n)
	}
}

// keeps: a kept consumer gets all messages, in their order and once, and leaves none unacknowledged.
func keeps(t *testing.T, b *broker) {
	f := newFixture(t, targets.Options{Base: "amqp://" + b.addr}, "amqp.declare: stream",
		`{amqp.publish: stream, message: "${var.n}"}`,
		`{amqp.consume: stream, keep: user, prefetch: 7, messages: 50, within: 5s, extract: {all: $}}`,
		`{amqp.depth: stream, check: {$.messages: 0}}`)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	u.Do(0, long)
	var want, got []string
	for i := range 150 {
		want = append(want, fmt.Sprint(i))
		u.It.Vars[slices.Index(f.Vars, "n")].SetText(want[i])
		if out := u.Do(1, long); out.Kind != scenarios.OK {
			t.Fatalf("%+v", out)
		}
	}
	for len(got) < len(want) {
		if out := u.Do(2, long); out.Kind != scenarios.OK {
			t.Fatalf("%s after %d", f.Got(out), len(got))
		}
		got = append(got, strings.Split(strings.Trim(string(u.It.Vars[slices.Index(f.Vars, "all")].Text), "[]"), ",")...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	_ = u.Session.Close()
	reader := f.Flow.Open(t, f.Client, f.T0, 1)
	suite.Until(t, "the queue to be empty", func() bool { return reader.Do(3, long).Kind == scenarios.OK })
}

// frozen: a broker that stands still is no broker without messages to a kept consumer.
func frozen(t *testing.T, b *broker) {
	f := newFixture(t, targets.Options{Base: "amqp://" + b.addr}, "amqp.declare: still",
		`{amqp.consume: still, keep: user, within: 100ms}`)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	for _, step := range []int{0, 1, 1, 1} {
		if out := u.Do(step, long); out.Kind != scenarios.OK {
			t.Fatalf("%s: %+v", f.Got(out), out)
		}
	}
	signal := func(name string) {
		if text, err := exec.Command("kill", name, strconv.Itoa(b.Process.Pid)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	signal("-STOP")
	defer signal("-CONT")
	if out := u.Do(1, time.Second); out.Cause != scenarios.Closed || out.First != 0 {
		t.Errorf("%s: %+v", f.Got(out), out)
	}
}

// again: what the broker gives again after a crash, because it has not noted an acknowledgement, is marked as given
// again. RabbitMQ marks all that it recovers, so that the mark proves nothing. The queue is that of TestReal: a crash
// may lose one that was just declared.
func again(t *testing.T, b *broker) {
	f := newFixture(t, targets.Options{Base: "amqp://" + b.addr}, "amqp.depth: kept",
		`{amqp.publish: kept, message: "${var.n}"}`,
		`{amqp.consume: kept, keep: user, ack: off, prefetch: 43, messages: 43, within: 5s, extract: {all: $}}`,
		`{amqp.consume: kept, keep: user, messages: 100, within: 5s, extract: {all: $}}`)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	if out := u.Do(0, long); out.Kind != scenarios.OK {
		t.Fatalf("%s: %+v", f.Got(out), out)
	}
	const sent = 50
	for i := range sent {
		u.It.Vars[slices.Index(f.Vars, "n")].SetText(fmt.Sprint(i))
		if out := u.Do(1, long); out.Kind != scenarios.OK {
			t.Fatalf("%+v", out)
		}
	}
	seen, marked := map[string]bool{}, 0
	take := func(step int) {
		if out := u.Do(step, long); out.Kind != scenarios.OK { // the connection was lost
			return
		}
		all := strings.Split(strings.Trim(string(u.It.Vars[slices.Index(f.Vars, "all")].Text), "[]"), ",")
		for i, id := range all {
			if seen[id] && slices.Contains(u.It.Again, i) {
				marked++
			}
			seen[id] = true
		}
	}
	suite.Until(t, "43 messages", func() bool { take(2); return len(seen) == 43 })
	b.kill()
	b.start()
	suite.Until(t, "all messages", func() bool { take(3); return len(seen) == sent })
	if marked != 43 {
		t.Errorf("43 came again, of which %d are marked", marked)
	}
}
