//go:build unix

package mqtt_test

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/targetstest"
)

// broker is a mosquitto that ends with the test. Its files outlive it.
type broker struct {
	*exec.Cmd
	t          *testing.T
	path, conf string
	addr       string
}

// startBroker starts a mosquitto with further lines of its settings.
func startBroker(t *testing.T, more string) *broker {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	dir := t.TempDir()
	b := &broker{
		t: t, path: suite.Program(t, "mosquitto", "mosquitto"), addr: l.Addr().String(), conf: filepath.Join(dir, "conf"),
	}
	_, port, _ := net.SplitHostPort(b.addr)
	// as root it would become the user mosquitto, who may not write here
	text := fmt.Sprintf("listener %s 127.0.0.1\nuser root\npersistence true\npersistence_location %s/\n"+
		"autosave_interval 1\nautosave_on_changes true\n%s\n", port, dir, more)
	if !strings.Contains(more, "password_file") {
		text += "allow_anonymous true\n"
	}
	if err := os.WriteFile(b.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.start()
	t.Cleanup(b.kill)
	return b
}

func (b *broker) start() {
	b.t.Helper()
	b.Cmd = exec.Command(b.path, "-c", b.conf)
	b.Stderr = io.Discard
	if err := b.Start(); err != nil {
		b.t.Fatal(err)
	}
	suite.Until(b.t, "mosquitto to listen", func() bool {
		c, err := net.Dial("tcp", b.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// kill ends the broker as a crash does.
func (b *broker) kill() {
	if b.ProcessState == nil {
		_ = b.Process.Kill()
		_ = b.Wait()
	}
}

// versions are the versions of MQTT in the URL of an endpoint.
var versions = []string{"3.1.1", "5"}

// TestReal: mosquitto agrees with each kind of step, and what its file has outlives a crash.
func TestReal(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			b := startBroker(t, "max_packet_size 1000")
			steps := []struct{ step, want string }{
				{`{mqtt.subscribe: a/1, within: 50ms, check: {$: absent}}`, "ok"},
				{`{mqtt.publish: a/1, message: zero, qos: 0, retain: on}`, "ok"},
				{`{mqtt.subscribe: a/1, check: {text: zero}}`, "ok"},
				{`{mqtt.publish: a/1, message: one, retain: on}`, "ok"},
				{`{mqtt.publish: a/2, message: two, qos: 2, retain: on}`, "ok"},
				{`{mqtt.publish: a/3, message: {json: {n: 3}}, qos: 2, retain: on}`, "ok"},
				{`{mqtt.subscribe: a/+, qos: 2, messages: 2, within: 1s, check: {"$[1]": exists}}`, "ok"},
				{`{mqtt.subscribe: a/1, qos: 1, check: {text: one}}`, "ok"},
				{`{mqtt.subscribe: a/2, qos: 2, check: {text: two}}`, "ok"},
				{`{mqtt.subscribe: "+/3", qos: 2, check: {$.n: 3}}`, "ok"},
				{`{mqtt.publish: a/2, retain: on}`, "ok"}, // removes it
				{`{mqtt.subscribe: a/2, within: 50ms, check: {$: absent}}`, "ok"},
				{"crash", ""},
				{`{mqtt.subscribe: a/1, qos: 1, check: {text: one}}`, "ok"},
				{`{mqtt.subscribe: a/2, within: 50ms, check: {$: absent}}`, "ok"},
			}
			if version == "5" {
				steps = append(steps, []struct{ step, want string }{
					{`{mqtt.publish: nowhere, check: {$.reason: 16}}`, "ok"},
					{`{mqtt.publish: a/4, headers: {a: b}, expiry: 60s, retain: on}`, "ok"},
					{`{mqtt.publish: a/4, message: {text: "` + strings.Repeat("x", 2000) + `"}}`, "error, error packet too large"},
				}...)
			}
			var texts []string
			for _, s := range steps {
				if s.step != "crash" {
					texts = append(texts, s.step)
				}
			}
			kept := new(targetstest.Sampler)
			f := newFixture(t, targets.Options{Base: "mqtt://" + b.addr + "?version=" + version, Sampler: kept}, texts...)
			u := f.Flow.Open(t, f.Client, f.T0, 0)
			i := 0
			for _, s := range steps {
				if s.step == "crash" {
					b.kill()
					b.start()
					suite.Until(t, "mosquitto to answer", func() bool { return u.Do(0, time.Second).Answered })
					continue
				}
				if got := f.Got(u.Do(i, long)); got != s.want {
					t.Fatalf("%s: got %s, want %s; %+v", s.step, got, s.want, kept.Kept)
				}
				i++
			}
		})
	}
}

// TestReal_Login: mosquitto lets in who has the password.
func TestReal_Login(t *testing.T) {
	file := filepath.Join(t.TempDir(), "passwords")
	if text, err := exec.Command(suite.Program(t, "mosquitto_passwd", "mosquitto"), "-b", "-c", file, "app", "sesame").
		CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	b := startBroker(t, "allow_anonymous false\npassword_file "+file)
	for _, version := range versions {
		for user, want := range map[string]string{
			"app:sesame@": "ok", "app:open@": "error, error not authorized", "": "error, error not authorized",
		} {
			f := newFixture(t, targets.Options{Base: "mqtt://" + user + b.addr + "?version=" + version}, `{mqtt.publish: a}`)
			if got := f.Got(f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)); got != want {
				t.Errorf("%s by %s: got %s, want %s", version, user, got, want)
			}
		}
	}
}

// collect takes the messages of step 0 of a user until there are n different ones, and adds them to got.
func collect(t *testing.T, f *targetstest.Fixture, u *targetstest.User, got []string, n int) []string {
	t.Helper()
	lost := []scenarios.Cause{scenarios.Closed, scenarios.Reset, scenarios.Refused}
	if !suite.Within(10*time.Second, func() bool {
		out := u.Do(0, long)
		if out.Kind != scenarios.OK && !out.Cause.IsExtraction() && !slices.Contains(lost, out.Cause) {
			t.Fatalf("%s after %d: %+v", f.Got(out), len(got), out)
		}
		if out.Kind == scenarios.OK {
			text := strings.Trim(string(u.It.Vars[slices.Index(f.Vars, "all")].Text), "[]")
			got = append(got, strings.Split(text, ",")...)
		}
		slices.SortFunc(got, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
		got = slices.Compact(got)
		return len(got) >= n
	}) {
		t.Errorf("got %d messages, want %d: %v", len(got), n, got)
	}
	return got
}

// TestReal_Session: by a session, a device takes each message of QoS 1 and 2 that was published before and after a
// crash of the broker, and while the device has no connection; without one it is told that it has lost its
// subscription.
func TestReal_Session(t *testing.T) {
	for _, version := range versions {
		for _, qos := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s QoS %d", version, qos), func(t *testing.T) {
				b := startBroker(t, "max_queued_messages 10000")
				base := "mqtt://" + b.addr + "?version=" + version
				take := fmt.Sprintf(`{mqtt.subscribe: news, qos: %d, keep: user, within: 100ms, messages: 7, extract: {all: $}}`, qos)
				reader := newFixture(t, targets.Options{Base: base + "&client=r&session=1h"}, take)
				other := newFixture(t, targets.Options{Base: base + "&client=o"}, take)
				writer := newFixture(t, targets.Options{Base: base},
					fmt.Sprintf(`{mqtt.publish: news, qos: %d, message: "${var.n}"}`, qos))
				r, o, w := reader.Flow.Open(t, reader.Client, reader.T0, 0), other.Flow.Open(t, other.Client, other.T0, 0),
					writer.Flow.Open(t, writer.Client, writer.T0, 0)
				r.Do(0, long) // it subscribes; there is nothing to extract
				o.Do(0, long)
				var want []string
				send := func(n int) {
					for range n {
						want = append(want, strconv.Itoa(len(want)))
						w.It.Vars[slices.Index(writer.Vars, "n")].SetText(want[len(want)-1])
						if out := w.Do(0, long); out.Kind != scenarios.OK {
							t.Fatalf("%s: %+v", writer.Got(out), out)
						}
					}
				}
				send(100)
				got := collect(t, reader, r, nil, 50)
				if theirs := collect(t, other, o, nil, 50); !slices.Equal(theirs, want[:len(theirs)]) {
					t.Errorf("without a session: %v", theirs)
				}
				send(1)
				b.kill() // mosquitto writes its file after it acknowledges, so it may lose the message of that turn
				b.start()
				suite.Until(t, "mosquitto to answer", func() bool {
					want = append(want[:101], "101")
					w.It.Vars[slices.Index(writer.Vars, "n")].SetText("101")
					return w.Do(0, time.Second).Kind == scenarios.OK
				})
				send(50)
				// the file of mosquitto may be older than its last acknowledgements, so messages may come twice
				if got = collect(t, reader, r, got, len(want)-1); slices.Contains(got, "100") {
					got = collect(t, reader, r, got, len(want))
				} else {
					want = slices.Delete(want, 100, 101)
				}
				if !slices.Equal(got, want) {
					t.Errorf("got %d messages, want %d: %v", len(got), len(want), got)
				}
				seen := false
				for range 10 {
					seen = seen || other.Got(o.Do(0, long)) == "error, error subscription lost"
				}
				if !seen {
					t.Error("the loss of a subscription is not told")
				}
			})
		}
	}
}

// TestReal_Will: the broker publishes the will of a device whose connection is cut, and not of one that leaves.
func TestReal_Will(t *testing.T) {
	b := startBroker(t, "")
	cut := relay(t, b.addr)
	watcher := newFixture(t, targets.Options{Base: "mqtt://" + b.addr},
		`{mqtt.subscribe: "down/#", keep: user, within: 200ms, messages: 9, extract: {all: $}}`)
	u := watcher.Flow.Open(t, watcher.Client, watcher.T0, 0)
	u.Do(0, long)
	for name, base := range map[string]string{"cut": cut.addr, "left": b.addr} {
		f := newFixture(t, targets.Options{Base: fmt.Sprintf("mqtt://%s?client=%[2]s&will=down/%[2]s&will_message=%[2]s", base, name)},
			`{mqtt.publish: a}`)
		d := f.Flow.Open(t, f.Client, f.T0, 0)
		if out := d.Do(0, long); out.Kind != scenarios.OK {
			t.Fatalf("%+v", out)
		}
		if name == "left" {
			_ = f.Close()
			continue
		}
		cut.cut()
		if got := collect(t, watcher, u, nil, 1); !slices.Equal(got, []string{`"cut"`}) {
			t.Errorf("got %v", got)
		}
		suite.Until(t, "the device to be connected again", func() bool {
			return d.Do(0, long).Kind == scenarios.OK && f.Opened() == 2
		})
	}
	if out := u.Do(0, long); out.Kind == scenarios.OK {
		t.Errorf("a will of a client that left: %s", u.It.Vars[slices.Index(watcher.Vars, "all")].Text)
	}
}

// TestReal_KeepAlive: pings keep a connection that carries nothing else, which mosquitto would close after 1.5 s; and a
// server that answers none is noticed.
func TestReal_KeepAlive(t *testing.T) {
	b := startBroker(t, "")
	f := newFixture(t, targets.Options{Base: "mqtt://" + b.addr + "?client=d&keep_alive=1s"},
		`{mqtt.subscribe: a, keep: user, within: 3s, check: {$: absent}}`, `{mqtt.publish: b}`)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	for _, step := range []int{1, 0, 1} {
		if out := u.Do(step, long); out.Kind != scenarios.OK || f.Opened() != 1 {
			t.Errorf("%s, %d connections: %+v", f.Got(out), f.Opened(), out)
		}
	}
	if err := b.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if out := u.Do(0, 10*time.Second); out.Cause != scenarios.Closed || out.End-out.Slot > 2500*time.Millisecond {
		t.Errorf("%s after %v: %+v", f.Got(out), out.End-out.Slot, out)
	}
}

// TestReal_Idle: pings keep a connection whose last call had its deadline before the ping is due.
func TestReal_Idle(t *testing.T) {
	b := startBroker(t, "")
	f := newFixture(t, targets.Options{Base: "mqtt://" + b.addr + "?client=d&keep_alive=1s"}, `{mqtt.publish: a}`)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	for range 2 {
		if out := u.Do(0, 200*time.Millisecond); out.Kind != scenarios.OK || f.Opened() != 1 {
			t.Errorf("%s, %d connections: %+v", f.Got(out), f.Opened(), out)
		}
		time.Sleep(2 * time.Second) // simulates the pause of a device, in which two pings are due
	}
	if out := u.Do(0, 200*time.Millisecond); out.Kind != scenarios.OK || f.Opened() != 1 {
		t.Errorf("%s, %d connections: %+v", f.Got(out), f.Opened(), out)
	}
}

// TestReal_Frozen: a broker that stands still is no broker without messages to a kept subscription.
func TestReal_Frozen(t *testing.T) {
	for _, query := range []string{"", "?client=d"} {
		b := startBroker(t, "")
		f := newFixture(t, targets.Options{Base: "mqtt://" + b.addr + query}, `{mqtt.subscribe: a, keep: user, within: 100ms}`)
		u := f.Flow.Open(t, f.Client, f.T0, 0)
		for range 3 {
			if out := u.Do(0, long); out.Kind != scenarios.OK || f.Opened() != 1 {
				t.Fatalf("%s: %+v", f.Got(out), out)
			}
		}
		if err := b.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		if out := u.Do(0, time.Second); out.Cause != scenarios.Closed || out.First != 0 {
			t.Errorf("%q: %s: %+v", query, f.Got(out), out)
		}
	}
}

// relayed passes bytes on, until it is told to cut.
type relayed struct {
	addr string
	mu   sync.Mutex
	open []net.Conn
}

func relay(t *testing.T, to string) *relayed {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relayed{addr: l.Addr().String()}
	suite.Serve(t, l, func(c net.Conn) {
		s, err := net.Dial("tcp", to)
		if err != nil {
			_ = c.Close()
			return
		}
		r.mu.Lock()
		r.open = append(r.open, c, s)
		r.mu.Unlock()
		var both sync.WaitGroup
		for _, to := range [][2]net.Conn{{c, s}, {s, c}} {
			both.Go(func() {
				_, _ = io.Copy(to[1], to[0])
				_, _ = to[0].Close(), to[1].Close()
			})
		}
		both.Wait()
	})
	t.Cleanup(r.cut)
	return r
}

func (r *relayed) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.open {
		_ = c.Close()
	}
}
