package nats_test

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
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/targetstest"
)

// node is a nats-server with JetStream that ends with the test.
type node struct {
	*exec.Cmd
	t    *testing.T
	args []string
	addr string
}

// startNode starts a server whose JetStream keeps its files in dir; if dir is empty, it has no JetStream.
func startNode(t *testing.T, dir, port string, more ...string) *node {
	t.Helper()
	if dir != "" {
		more = append([]string{"-js", "-sd", dir}, more...)
	}
	n := &node{t: t, addr: "127.0.0.1:" + port, args: []string{
		suite.Program(t, "nats-server", "nats-server, or build it as .ci/prepare does"), "-a", "127.0.0.1", "-p", port,
	}}
	n.args = append(n.args, more...)
	n.start()
	t.Cleanup(n.kill)
	return n
}

func (n *node) start() {
	n.t.Helper()
	n.Cmd = exec.Command(n.args[0], n.args[1:]...)
	if err := n.Start(); err != nil {
		n.t.Fatal(err)
	}
	suite.Until(n.t, "nats-server to listen", func() bool {
		c, err := net.Dial("tcp", n.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// kill ends the server as a crash does.
func (n *node) kill() {
	if n.ProcessState == nil {
		_ = n.Process.Kill()
		_ = n.Wait()
	}
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

// TestReal: nats-server agrees with each kind of step, and what a stream in a file has stored outlives a crash, while a
// stream in memory is lost. The server's own count is the truth.
func TestReal(t *testing.T) {
	n := startNode(t, t.TempDir(), freePort(t))
	create := func(name, storage string) string {
		return fmt.Sprintf(`{nats.request: $JS.API.STREAM.CREATE.%s, message: {json: {name: %s, subjects: ["%s.>"], `+
			`storage: %s}}}`, name, name, strings.ToLower(name), storage)
	}
	consumer := `{nats.request: $JS.API.CONSUMER.DURABLE.CREATE.KEPT.shop, message: {json: {stream_name: KEPT, ` +
		`config: {durable_name: shop, ack_policy: explicit}}}}`
	info := func(stream string, has int) string {
		return fmt.Sprintf(`{nats.request: $JS.API.STREAM.INFO.%s, check: {$.state.messages: %d}}`, stream, has)
	}
	pending := func(has, unacked int) string {
		return fmt.Sprintf(`{nats.request: $JS.API.CONSUMER.INFO.KEPT.shop, check: {$.num_pending: %d, `+
			`$.num_ack_pending: %d}}`, has, unacked)
	}
	const absent = `{nats.consume: KEPT, consumer: shop, within: 50ms, check: {$: absent}}`
	steps := []struct{ step, want string }{
		{create("KEPT", "file"), "ok"},
		{create("FAST", "memory"), "ok"},
		{create("KEPT", "memory"), "error, error 10058"}, // another stream has this name
		{`{nats.publish: kept.a, ack: stream, message: one, headers: {Nats-Msg-Id: x}, check: {$.seq: 1}}`, "ok"},
		{
			`{nats.publish: kept.a, ack: stream, message: one, headers: {Nats-Msg-Id: x}, check: {$.duplicate: true}}`,
			"ok",
		},
		{`{nats.publish: kept.a, ack: stream, message: two}`, "ok"},
		{`{nats.publish: kept.a, message: three}`, "ok"},
		{`{nats.publish: fast.a, ack: stream}`, "ok"},
		{`{nats.publish: nowhere, ack: stream}`, "error, status 503"},
		{`{nats.request: nowhere}`, "error, status 503"},
		{`{nats.publish: nowhere}`, "ok"}, // core NATS tells nothing
		{`{nats.subscribe: nowhere, within: 50ms, check: {$: absent}}`, "ok"},
		{info("KEPT", 3), "ok"},
		{info("FAST", 1), "ok"},
		{consumer, "ok"},
		{pending(3, 0), "ok"},
		{`{nats.consume: KEPT, consumer: shop, check: {text: one}}`, "ok"},
		{pending(2, 0), "ok"},
		{`{nats.consume: KEPT, consumer: shop, ack: off, check: {text: two}}`, "ok"},
		{pending(1, 1), "ok"},
		{
			`{nats.consume: KEPT, consumer: shop, messages: 9, within: 50ms, check: {"$[0]": three, "$[1]": absent}}`,
			"ok",
		},
		{pending(0, 1), "ok"},
		{absent, "ok"},
		{`{nats.consume: KEPT, consumer: nobody, within: 50ms}`, "error, status 503"},
		{"crash", ""},
		{info("KEPT", 3), "ok"},
		{info("FAST", 0), "error, error 10059"},
	}
	var texts []string
	for _, s := range steps {
		if s.step != "crash" {
			texts = append(texts, s.step)
		}
	}
	kept := new(targetstest.Sampler)
	f := newFixture(t, targets.Options{Base: "nats://" + n.addr, Sampler: kept}, texts...)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	i := 0
	for _, s := range steps {
		if s.step == "crash" {
			n.kill()
			n.start()
			suite.Until(t, "JetStream to be ready", func() bool { return u.Do(i, time.Second).Kind == scenarios.OK })
			continue
		}
		if got := f.Got(u.Do(i, long)); got != s.want {
			t.Fatalf("%s: got %s, want %s; %+v", s.step, got, s.want, kept.Kept)
		}
		i++
	}
}

// TestReal_Subscribe: messages that are published while a step waits are its answer.
func TestReal_Subscribe(t *testing.T) {
	n := startNode(t, t.TempDir(), freePort(t))
	f := newFixture(t, targets.Options{Base: "nats://" + n.addr},
		`{nats.subscribe: "news.*", within: 9s, check: {text: hello}}`, `{nats.publish: news.a, message: hello}`)
	done := make(chan scenarios.Outcome)
	reader, writer := f.Flow.Open(t, f.Client, f.T0, 0), f.Flow.Open(t, f.Client, f.T0, 1)
	go func() { done <- reader.Do(0, long) }()
	for {
		select {
		case out := <-done:
			if out.Kind != scenarios.OK || out.Status != 0 || out.First > out.End || out.Bytes != 5 {
				t.Errorf("%+v", out)
			}
			return
		default:
			if out := writer.Do(1, long); out.Kind != scenarios.OK {
				t.Fatalf("%+v", out)
			}
		}
	}
}

// TestReal_Keep: a kept subscription misses no message between two calls, keeps their order, and a lost connection is
// an error of one call.
func TestReal_Keep(t *testing.T) {
	n := startNode(t, t.TempDir(), freePort(t))
	f := newFixture(t, targets.Options{Base: "nats://" + n.addr},
		`{nats.subscribe: news, keep: user, within: 100ms, messages: 100, extract: {all: $}}`,
		`{nats.subscribe: news, keep: user, within: 10ms, check: {$: absent}, name: idle}`,
		`{nats.publish: news, message: "${var.n}"}`)
	reader, writer := f.Flow.Open(t, f.Client, f.T0, 0), f.Flow.Open(t, f.Client, f.T0, 1)
	if out := reader.Do(1, long); out.Kind != scenarios.OK {
		t.Fatalf("%+v", out)
	}
	reader.Do(0, long) // it subscribes; there is nothing to extract
	var want, got []string
	for i := range 250 {
		want = append(want, fmt.Sprint(i))
		writer.It.Vars[slices.Index(f.Vars, "n")].SetText(want[i])
		if out := writer.Do(2, long); out.Kind != scenarios.OK {
			t.Fatalf("%+v", out)
		}
	}
	for len(got) < len(want) {
		out := reader.Do(0, long)
		if out.Kind != scenarios.OK || !out.WasSent || out.Attempts != 0 {
			t.Fatalf("%+v after %d", out, len(got))
		}
		text := strings.Trim(string(reader.It.Vars[slices.Index(f.Vars, "all")].Text), "[]")
		got = append(got, strings.Split(text, ",")...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	n.kill()
	suite.Until(t, "the loss to be noticed", func() bool { return reader.Do(0, long).Cause == scenarios.Closed })
	n.start()
	if out := reader.Do(0, long); !out.Cause.IsExtraction() { // subscribed, and nothing there
		t.Errorf("%+v", out)
	}
}

// TestReal_Ping: a kept subscription outlives the pings of the server, although its only write was by the first call.
func TestReal_Ping(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "conf")
	if err := os.WriteFile(conf, []byte("ping_interval: 500ms\nping_max: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := startNode(t, "", freePort(t), "-c", conf)
	f := newFixture(t, targets.Options{Base: "nats://" + n.addr},
		`{nats.subscribe: news, keep: user, within: 500ms, extract: {message: $}}`, `{nats.publish: news, message: hello}`)
	reader, writer := f.Flow.Open(t, f.Client, f.T0, 0), f.Flow.Open(t, f.Client, f.T0, 1)
	for i := range 10 { // 5 s: the server's first ping comes 2 s after a connection begins, or later
		if out := reader.Do(0, time.Second); !out.Cause.IsExtraction() || f.Opened() != 1 {
			t.Fatalf("%d: %s, %+v", i, f.Got(out), out)
		}
	}
	if out := writer.Do(1, time.Second); out.Kind != scenarios.OK {
		t.Fatalf("%+v", out)
	}
	if out := reader.Do(0, time.Second); out.Kind != scenarios.OK {
		t.Errorf("%s: %+v", f.Got(out), out)
	}
}

// TestReal_Frozen: a server that stands still is no server without messages to a kept subscription. An empty
// answer takes as long as the step waits for a message.
func TestReal_Frozen(t *testing.T) {
	n := startNode(t, "", freePort(t))
	f := newFixture(t, targets.Options{Base: "nats://" + n.addr}, `{nats.subscribe: news, keep: user, within: 100ms}`)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	for range 3 {
		if out := u.Do(0, long); out.Kind != scenarios.OK || out.Status != calls.Absent {
			t.Fatalf("%s: %+v", f.Got(out), out)
		}
	}
	if text, err := exec.Command("kill", "-STOP", strconv.Itoa(n.Process.Pid)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if out := u.Do(0, time.Second); out.Cause != scenarios.Closed || out.First != 0 {
		t.Errorf("%s: %+v", f.Got(out), out)
	}
}

// TestReal_Again: JetStream says which messages it has delivered before, so that they are no duplicates.
func TestReal_Again(t *testing.T) {
	n := startNode(t, t.TempDir(), freePort(t))
	f := newFixture(t, targets.Options{Base: "nats://" + n.addr},
		`{nats.request: $JS.API.STREAM.CREATE.S, message: {json: {name: S, subjects: [s]}}}`,
		`{nats.request: $JS.API.CONSUMER.DURABLE.CREATE.S.c, message: {json: {stream_name: S, config: {durable_name: c, `+
			`ack_policy: explicit, ack_wait: 200000000}}}}`,
		`{nats.publish: s, ack: stream, message: one}`,
		`{nats.consume: S, consumer: c, ack: off, check: {text: one}}`,
		`{nats.consume: S, consumer: c, messages: 2, check: {"$[0]": one, "$[1]": absent}}`)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	for i, c := range []struct {
		step  int
		again []int
	}{{0, nil}, {1, nil}, {2, nil}, {3, nil}, {3, []int{template.WholeAnswer}}, {4, []int{0}}} {
		if out := u.Do(c.step, long); out.Kind != scenarios.OK || !slices.Equal(u.It.Again, c.again) {
			t.Fatalf("%d: %s, again %v: %+v", i, f.Got(out), u.It.Again, out)
		}
	}
}
