package http_test

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

// An idle connection that the server has closed, or on which it sent unrequested data, costs
// the next request only a new connection.
func TestHTTP_ClosedWhileIdle(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(p *peer)
	}{
		{"closed", func(p *peer) { _ = p.Close() }},
		{"half closed", func(p *peer) { _ = p.Conn.(*net.TCPConn).CloseWrite() }},
		{"reset", (*peer).reset},
		{"asked to close", func(p *peer) {
			p.say("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			_ = p.Close()
		}},
		{"babble", func(p *peer) { p.say("x") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var requests atomic.Int64
			end, ended := make(chan bool), make(chan bool)
			url := script(t, func(p *peer) {
				if p.request() == "" {
					return
				}
				requests.Add(1)
				p.say(hello)
				if _, more := <-end; more {
					c.end(p)
					ended <- true
				}
				p.request()
			})
			r := newFixture(t, targets.Options{Base: url}, "get: /")
			u := r.user(0)
			for i := range int64(10) {
				r.want(u.Do(0, long), "ok 200")
				if r.Opened() != i+1 || requests.Load() != i+1 {
					t.Fatalf("%d connections opened for %d requests", r.Opened(), requests.Load())
				}
				end <- true
				<-ended
			}
			close(end)
		})
	}
}

// A server that closes each connection before a request.
func TestHTTP_ClosedAtOnce(t *testing.T) {
	url := script(t, func(p *peer) { p.reset() })
	r := newFixture(t, targets.Options{Base: url}, "get: /")
	u := r.user(0)
	for range 20 {
		switch s := r.says(u.Do(0, long)); s {
		case "closed", "reset":
		default:
			t.Errorf("got %q", s)
		}
	}
	if n := r.Opened(); n > 20 { // a reset may come before the connection counts as open
		t.Errorf("%d connections for 20 requests", n)
	}
}

// The newest idle connection is used first, so that the others can age.
func TestHTTP_NewestFirst(t *testing.T) {
	var mu sync.Mutex
	var used []int
	hold := make(chan bool)
	url := script(t, func(p *peer) {
		for {
			r := p.request()
			if r == "" {
				return
			}
			mu.Lock()
			used = append(used, p.n)
			mu.Unlock()
			if strings.Contains(r, "/hold") {
				<-hold
			}
			p.say(hello)
		}
	})
	r := newFixture(t, targets.Options{Base: url}, "get: /hold", "get: /")
	var all sync.WaitGroup
	for i := range 4 {
		u := r.user(i)
		all.Go(func() { r.want(u.Do(0, long), "ok 200") })
		suite.Until(t, "held", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(used) == i+1
		})
	}
	close(hold)
	all.Wait()
	u := r.user(9)
	for range 5 {
		r.want(u.Do(1, long), "ok 200")
	}
	if later := used[4:]; slices.Min(later) != slices.Max(later) || r.Opened() != 4 {
		t.Errorf("connections used later: %v", later)
	}
}

func TestHTTP_MaxAge(t *testing.T) {
	url := script(t, each(func(string) string { return hello }))
	o := targets.Options{Base: url}
	o.Connections.MaxAge = quantity.Duration(40 * time.Millisecond)
	r := newFixture(t, o, "get: /")
	u := r.user(0)
	for began := time.Now(); time.Since(began) < 200*time.Millisecond; {
		r.want(u.Do(0, long), "ok 200")
	}
	if n := r.Opened(); n < 2 || n > 6 {
		t.Errorf("%d connections in 200 ms", n)
	}
	before := r.Opened()
	time.Sleep(50 * time.Millisecond) // simulates a user who thinks for longer than a connection may be old
	r.want(u.Do(0, long), "ok 200")
	if r.Opened() != before+1 {
		t.Error("a connection that grew too old while idle was used")
	}
}

func TestHTTP_SourceAddresses(t *testing.T) {
	var mu sync.Mutex
	from := map[string]int{}
	url := script(t, func(p *peer) {
		host, _, _ := net.SplitHostPort(p.RemoteAddr().String())
		mu.Lock()
		from[host]++
		mu.Unlock()
		each(func(string) string { return hello })(p)
	})
	off := false
	o := targets.Options{Base: url}
	o.Connections.KeepAlive, o.Connections.SourceAddresses = &off, []string{"127.0.0.2", "127.0.0.3"}
	r := newFixture(t, o, "get: /")
	u := r.user(0)
	if r.says(u.Do(0, long)) == "no port" {
		t.Skip("this system has no address 127.0.0.2")
	}
	for range 5 {
		r.want(u.Do(0, long), "ok 200")
	}
	if from["127.0.0.2"] != 3 || from["127.0.0.3"] != 3 {
		t.Errorf("%v", from)
	}
	o.Connections.SourceAddresses = []string{"::1"}
	r = newFixture(t, o, "get: /")
	if out := r.user(0).Do(0, long); out.Kind != scenarios.Error || out.WasSent {
		t.Errorf("an IPv4 address was reached from an IPv6 one: %+v", out)
	}
	if _, err := http.Descriptor().Client(targets.Options{
		Connections: scenarios.Connections{SourceAddresses: []string{"here"}},
	}); err == nil {
		t.Error("a source address that is none was taken")
	}
}

func TestHTTP_IPv6(t *testing.T) {
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6 loopback")
	} else {
		_ = l.Close()
	}
	seen := &recorder{}
	url := listen(t, "tcp6", "[::1]:0", seen.serve)
	var asked []string
	gate := targetstest.Gate(func(addr netip.Addr, hostport, host string) error {
		asked = append(asked, addr.String(), hostport, host)
		return nil
	})
	r := newFixture(t, targets.Options{Base: url, Allow: gate}, "get: /")
	r.want(r.user(0).Do(0, long), "ok 200")
	if list := seen.take(); !strings.Contains(list[0], "Host: "+strings.TrimPrefix(url, "http://")+"\r\n") {
		t.Errorf("%q", list)
	}
	if len(asked) != 3 || asked[0] != "::1" || asked[2] != "::1" {
		t.Errorf("the gate was asked for %q", asked)
	}
}

// With many users, few connections and all kinds of answers, every request is answered and the
// limit holds.
func TestHTTP_Crowd(t *testing.T) {
	var open, most atomic.Int64
	url := script(t, func(p *peer) {
		n := open.Add(1)
		defer open.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		for i := 0; ; i++ {
			switch p.request() {
			case "":
				return
			default:
				if i%7 == 6 {
					p.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
					return
				}
				p.say(hello)
			}
		}
	})
	o := targets.Options{Base: url}
	o.Connections.Max = 5
	r := newFixture(t, o, "get: /")
	var all sync.WaitGroup
	var ok atomic.Int64
	for i := range 40 {
		u := r.user(i)
		all.Go(func() {
			for range 50 {
				if u.Do(0, long).Kind == scenarios.OK {
					ok.Add(1)
				}
			}
		})
	}
	all.Wait()
	// The server notices the end of a connection a moment after the client has opened the
	// next.
	if ok.Load() != 2000 || most.Load() > 10 || http.Waiting(r.Client) != 0 {
		t.Errorf("%d answered, %d connections at once, %d wait", ok.Load(), most.Load(), http.Waiting(r.Client))
	}
}

// A place in the limit is freed when opening a connection fails.
func TestHTTP_LimitAndFailedDials(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	o := targets.Options{Base: "http://" + addr}
	o.Connections.Max = 1
	r := newFixture(t, o, "get: /")
	var all sync.WaitGroup
	for i := range 10 {
		u := r.user(i)
		all.Go(func() {
			for range 10 {
				r.want(u.Do(0, long), "refused")
			}
		})
	}
	all.Wait()
	listen(t, "tcp4", addr, each(func(string) string { return hello }))
	r.want(r.user(99).Do(0, long), "ok 200")
}

func TestHTTP_AfterClose(t *testing.T) {
	url := script(t, each(func(string) string { return hello }))
	r := newFixture(t, targets.Options{Base: url}, "get: /")
	u := r.user(0)
	r.want(u.Do(0, long), "ok 200")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r.want(u.Do(0, long), "unfinished")
	r.want(r.user(1).Do(0, long), "unfinished")
}

// A server with a full backlog drops connection attempts.
func swallower(t *testing.T) string {
	t.Helper()
	url, fill := fullBacklog(t)
	if url == "" {
		t.Skip("this system can't be made to swallow a connection attempt")
	}
	t.Cleanup(fill)
	return url
}

func TestHTTP_TimeoutWhileConnecting(t *testing.T) {
	r := newFixture(t, targets.Options{Base: swallower(t)}, "get: /")
	u := r.user(0)
	for range 3 {
		o := u.Do(0, 40*time.Millisecond)
		r.want(o, "timeout")
		if o.End != u.It.Deadline || o.WasSent || o.Slot >= o.End {
			t.Errorf("%+v, the deadline was %v", o, u.It.Deadline)
		}
	}
	if r.Opened() != 0 {
		t.Errorf("%d connections", r.Opened())
	}
}

func TestHTTP_AbortWhileConnecting(t *testing.T) {
	url := swallower(t)
	silent := script(t, func(p *peer) { p.request() })
	for name, base := range map[string]string{
		"connecting": url, "in the handshake": strings.Replace(silent, "http:", "https:", 1),
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, targets.Options{Base: base}, "get: /")
			u := r.user(0)
			done := make(chan scenarios.Outcome)
			began := time.Since(r.t0)
			go func() { done <- u.Do(0, long) }()
			suite.Until(t, "begun", func() bool { return time.Since(r.t0) > began+20*time.Millisecond })
			r.Abort()
			o := <-done
			r.want(o, "unfinished")
			if o.End >= o.Intended+long || o.WasSent {
				t.Errorf("%+v", o)
			}
		})
	}
}

// No connection leaks when answers, errors, timeouts and an abort mix.
func TestHTTP_NoConnectionLeaks(t *testing.T) {
	var open, asked atomic.Int64
	url := script(t, func(p *peer) {
		open.Add(1)
		defer open.Add(-1)
		for i := 0; p.request() != ""; i++ {
			asked.Add(1)
			switch i % 3 {
			case 0:
				p.say(hello)
			case 1:
				time.Sleep(5 * time.Millisecond) // simulates work
				p.say(hello)
			case 2:
				return
			}
		}
	})
	r := newFixture(t, targets.Options{Base: url}, "get: /")
	var all sync.WaitGroup
	for i := range 20 {
		u := r.user(i)
		all.Go(func() {
			for n := range 30 {
				u.Do(0, time.Duration(1+n%9)*time.Millisecond)
			}
		})
	}
	suite.Until(t, "requests", func() bool { return asked.Load() >= 100 })
	r.Abort()
	all.Wait()
	suite.Until(t, "connections", func() bool { return open.Load() == 0 })
}
