package mqtt_test

import (
	"bytes"
	"io"
	"net"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/targetstest"
)

// untilParked waits until no goroutine reads a connection.
func untilParked(t *testing.T) {
	t.Helper()
	suite.Until(t, "all connections to be parked", func() bool { return !runs(t, "read") })
}

// runs reports whether a goroutine is in a method of a client of package calls.
func runs(t *testing.T, method string) bool {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 2); err != nil {
		t.Fatal(err)
	}
	return strings.Contains(b.String(), "])."+method+"(")
}

// devices connects n devices that run steps, the first of which is made.
func devices(t *testing.T, s *server, n int, steps ...string) (*targetstest.Fixture, []*targetstest.User) {
	t.Helper()
	f := newFixture(t, targets.Options{Base: s.Base(), TLS: &scenarios.TLS{InsecureSkipVerify: true}}, steps...)
	var all []*targetstest.User
	for i := range n {
		u := f.Flow.Open(t, f.Client, f.T0, i)
		u.It.VU = i
		if out := u.Do(0, long); out.Kind != scenarios.OK {
			t.Fatalf("%s: %+v", f.Got(out), out)
		}
		all = append(all, u)
	}
	return f, all
}

// TestParked: a device to which nothing comes has no goroutine. It gets one for a message, whose time is exact, and for
// the end of its connection.
func TestParked(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s := start(t, options{secure: secure, query: "?client=d", news: sends("a", "first")})
		const take = "{mqtt.subscribe: a, keep: user, messages: 9, extract: {all: $}}"
		f, all := devices(t, s, 5, take, take, "mqtt.publish: b")
		untilParked(t)
		for round := range 2 {
			pushed := time.Since(f.T0)
			s.each(func(c net.Conn) { _, _ = io.WriteString(c, sends("a", "one")+sends("a", "two")) })
			if round > 0 { // no call waits for it, so that the device holds it
				untilParked(t)
			}
			for _, u := range all {
				got := ""
				for !strings.Contains(got, "two") {
					out := u.Do(1, long)
					if out.Kind != scenarios.OK || out.First < max(pushed, out.Slot) || out.End > time.Since(f.T0) {
						t.Fatalf("%s: %+v, and it came after %v", f.Got(out), out, pushed)
					}
					got += u.Var("all")
				}
				if strings.ReplaceAll(got, "]:[", ",") != `:["one","two"]` {
					t.Errorf("got %s", got)
				}
			}
			untilParked(t)
		}
		outs := make(chan scenarios.Outcome)
		go func() { outs <- all[0].Do(1, long) }()
		suite.Until(t, "the call to wait", func() bool { return runs(t, "Next") })
		s.each(func(c net.Conn) { _ = c.Close() })
		cut := time.Since(f.T0)
		if out := <-outs; out.Cause != scenarios.Closed || out.End > cut+time.Second {
			t.Errorf("%s at %v, and it was closed at %v", f.Got(out), out.End, cut)
		}
		suite.Until(t, "a device to connect again", func() bool { return all[2].Do(2, long).Kind == scenarios.OK })
	}
}

// TestParked_Pings: pings keep a parked device connected, and it has lost its connection when its server does not
// answer one.
func TestParked_Pings(t *testing.T) {
	s := start(t, options{query: "?client=d&keep_alive=2s", news: sends("a", "first")})
	const take = "{mqtt.subscribe: a, keep: user}"
	f, all := devices(t, s, 1, take, take)
	untilParked(t)
	suite.Until(t, "two pings", func() bool { return s.pings.Load() >= 2 })
	untilParked(t)
	if f.Opened() != 1 {
		t.Errorf("%d connections were opened", f.Opened())
	}
	s.deaf.Store(true)
	if out := all[0].Do(1, long); out.Cause != scenarios.Closed {
		t.Errorf("%s: %+v", f.Got(out), out)
	}
}

// TestParked_Abort: the end of the run ends a call that waits on a parked connection.
func TestParked_Abort(t *testing.T) {
	s := start(t, options{query: "?client=d", news: sends("a", "first")})
	const take = "{mqtt.subscribe: a, keep: user}"
	f, all := devices(t, s, 1, take, take)
	untilParked(t)
	outs := make(chan scenarios.Outcome)
	go func() { outs <- all[0].Do(1, long) }()
	f.Abort()
	if out := <-outs; out.Kind == scenarios.OK || out.End > long/2 {
		t.Errorf("%s: %+v", f.Got(out), out)
	}
}
