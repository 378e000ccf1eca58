package memcached_test

import (
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/memcached"
	"brunt/targets/targetstest"
)

// long is a timeout that passes only if something is wrong.
const long = 30 * time.Second

// user returns a user who makes steps at an endpoint, and the causes of their errors.
func user(t testing.TB, base string, steps ...string) (u *targetstest.User, got func(scenarios.Outcome) string) {
	t.Helper()
	return open(t, base, targetstest.Compile(t, memcached.Descriptor(), "", steps...))
}

// open opens a user who makes the steps of a flow.
func open(t testing.TB, base string, f *targetstest.Flow) (u *targetstest.User, got func(scenarios.Outcome) string) {
	t.Helper()
	t0 := time.Now()
	c, err := memcached.Descriptor().Client(targets.Options{Base: base, T0: t0, Timeout: long})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return f.Open(t, c, t0, 0), f.Got
}

// TestCall judges answers.
func TestCall(t *testing.T) {
	for _, c := range []struct{ step, says, want string }{
		{`{memcached.get: a, check: {$.n: 5}}`, "VA 8\r\n{\"n\": 5}\r\n", "ok"},
		{`{memcached.get: a, check: {text: hi}}`, "VA 2\r\nhi\r\n", "ok"},
		{`{memcached.get: a, check: {$: absent}}`, "EN\r\n", "ok"},
		{`{memcached.get: a, check: {$: exists}}`, "EN\r\n", "error, check $"},
		{`{memcached.gets: a, check: {$.value: hi, $.cas: 7}}`, "VA 2 c7\r\nhi\r\n", "ok"},
		{`{memcached.gets: a}`, "VA 2\r\nhi\r\n", "error, protocol"},
		{`{memcached.set: a, message: hi}`, "SERVER_ERROR out of memory storing object\r\n", "error, error SERVER_ERROR"},
		{`{memcached.set: a, check: {shed: SERVER_ERROR}}`, "SERVER_ERROR busy\r\n", "shed"},
		{`{memcached.set: a}`, "CLIENT_ERROR bad data chunk\r\n", "error, error CLIENT_ERROR"},
		{`{memcached.set: a}`, "ERROR\r\n", "error, error ERROR"},
		{`{memcached.set: a}`, "VA 2\r\nhi\r\n", "error, protocol"},
		{`{memcached.cas: a, token: 7}`, "EX\r\n", "error, error exists"},
		{`{memcached.cas: a, token: 7, check: {allow: exists}}`, "EX\r\n", "ok"},
		{`{memcached.cas: a, token: x}`, "HD\r\n", "error, other"},
		{`{memcached.get: a}`, "VALUE a 0 2\r\nhi\r\nEND\r\n", "error, protocol"},
		{`{memcached.get: a}`, "VA 2\r\nhello\r\n", "error, protocol"},
		{`{memcached.stats: on, check: {$.a: 1}}`, strings.Repeat("STAT a 1\r\n", 10_000) + "END\r\n", "ok"},
		{`{memcached.stats: on}`, strings.Repeat("STAT a 1\r\n", 10_001), "error, protocol"},
		{`{memcached.incr: a, by: -2, check: {$: 6}}`, "VA 1\r\n6\r\n", "ok"},
	} {
		u, got := user(t, start(t, false, c.says).Base(), c.step)
		if got := got(u.Do(0, long)); got != c.want {
			t.Errorf("%s says %q: got %s, want %s", c.step, c.says, got, c.want)
		}
	}
}

// TestCall_Ended: a call sees that the server has ended the connection just after the last answer, although it reads
// nothing then, and does not wait for an answer.
func TestCall_Ended(t *testing.T) {
	for range 20 {
		s := start(t, false, "EN\r\n")
		u, got := user(t, s.Base(), `memcached.get: end`)
		if got := got(u.Do(0, long)); got != "ok" {
			t.Fatal(got)
		}
		<-s.ended
		if out := u.Do(0, 10*time.Second); got(out) != "ok" && got(out) != "error, closed" {
			t.Fatalf("got %s after %v", got(out), out.End-out.Slot)
		}
	}
}

func TestCompile_Mistakes(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{"memcached.get: a b", "has a blank"},
		{"memcached.get: " + strings.Repeat("a", 251), "1 to 250 bytes"},
		{"{memcached.get: a, message: hi}", "`message` belongs to a step of memcached.set, memcached.add, memcached.cas"},
		{"{memcached.get: a, within: 1s}", "a step of memcached.get has no `within`"},
		{"{memcached.set: a, ttl: 800h}", "at most 30 days"},
		{"memcached.cas: a", "wants a token"},
		{"memcached.stats: off", "memcached.stats is on"},
		{"{memcached.set: a, check: {allow: maybe}}", "such as exists or SERVER_ERROR"},
	} {
		_, err := targetstest.Try(memcached.Descriptor(), "", c.step)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.step, err, c.want)
		}
	}
}

// TestReal: memcached agrees with each kind of step; a crash is an error of the calls under way, and the cache is empty
// afterwards.
func TestReal(t *testing.T) {
	path := suite.Program(t, "memcached", "memcached")
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	var server *exec.Cmd
	begin := func() {
		server = exec.Command(path, "-u", "root", "-l", "127.0.0.1", "-p", port)
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		suite.Until(t, "memcached to listen", func() bool {
			c, err := net.Dial("tcp", l.Addr().String())
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		})
	}
	begin()
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	steps := []struct{ step, want string }{
		{`{memcached.get: a, check: {$: absent}}`, "ok"},
		{`{memcached.set: a, message: {json: {n: 1}}, ttl: 60s}`, "ok"},
		{`{memcached.get: a, check: {$.n: 1}}`, "ok"},
		{`{memcached.add: a, message: other}`, "ok"},
		{`{memcached.gets: a, extract: {token: $.cas}, check: {$.value.n: 1}}`, "ok"},
		{`{memcached.cas: a, token: "${var.token}", message: two}`, "ok"},
		{`{memcached.cas: a, token: "${var.token}", message: three}`, "error, error exists"},
		{`{memcached.get: a, check: {text: two}}`, "ok"},
		{`{memcached.incr: a}`, "error, error CLIENT_ERROR"},
		{`{memcached.incr: n, check: {$: absent}}`, "ok"},
		{`{memcached.set: n, message: "5"}`, "ok"},
		{`{memcached.incr: n, by: 3, check: {$: 8}}`, "ok"},
		{`{memcached.incr: n, by: -2, check: {$: 6}}`, "ok"},
		{`{memcached.delete: n}`, "ok"},
		{`{memcached.get: n, check: {$: absent}}`, "ok"},
		{`{memcached.set: empty}`, "ok"},
		{`{memcached.get: empty, check: {text: ""}}`, "ok"},
		{`{memcached.stats: on, check: {$.get_hits: "> 0", $.curr_items: 2}}`, "ok"},
	}
	var texts []string
	for _, s := range steps {
		texts = append(texts, s.step)
	}
	u, got := user(t, "memcached://"+l.Addr().String(), texts...)
	for i, s := range steps {
		if got := got(u.Do(i, long)); got != s.want {
			t.Errorf("%.60s: got %s, want %s", s.step, got, s.want)
		}
	}
	_ = server.Process.Kill()
	_ = server.Wait()
	lost := []scenarios.Cause{scenarios.Closed, scenarios.Reset, scenarios.Refused}
	if out := u.Do(0, long); !slices.Contains(lost, out.Cause) {
		t.Errorf("without a server: %s", got(out))
	}
	begin()
	if out := u.Do(0, long); out.Kind != scenarios.OK { // the key is absent
		t.Errorf("after a crash: %s", got(out))
	}
}
