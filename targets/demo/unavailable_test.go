package demo

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios/quantity"
)

// TestTelemetry holds the collector: spans that are sent within requests hold these, and others do not.
func TestTelemetry(t *testing.T) {
	for _, tt := range []struct {
		kind string
		took time.Duration // of a read, at least
	}{{asyncTelemetry, 0}, {syncTelemetry, 5 * sec}} {
		t.Run(tt.kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Telemetry: tt.kind, Timeouts: off()})
				if a := s.ask("GET", "/posts?page=1", "", sec); a.status != 200 || a.took != 0 {
					t.Fatalf("%d after %s", a.status, a.took)
				}
				time.Sleep(sec)
				if n := s.metric("collector[0]", `socialconnect_requests_total{code="200",route="POST /v1/traces"}`); n == 0 {
					t.Error("no span has arrived")
				}
				s.net.edge("gateway[0]", "collector[0]").hold()
				a := s.ask("GET", "/posts?page=1", "", time.Minute)
				if a.status != 200 || a.took < tt.took || tt.took == 0 && a.took != 0 {
					t.Errorf("%d after %s, want %s and more", a.status, a.took, tt.took)
				}
				s.net.release()
			})
		})
	}
}

// TestWaitFor starts posts while the store is away.
func TestWaitFor(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want int // once the store is back
	}{{"on", nil, 200}, {"off", off(), 503}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{WaitFor: tt.with, Posts: Scale{Replicas: 1}, Breaker: off(), Ejection: off()})
				s.Stop([]string{"posts[0]"})() // the services of the bubble start in any order
				synctest.Wait()
				if a := s.ask("GET", "/posts?page=1", "", sec); a.status != 200 {
					t.Fatalf("started in order: %d", a.status)
				}
				store := s.Crash([]string{"store[0]"})
				s.Stop([]string{"posts[0]"})()
				time.Sleep(sec)
				if a := s.ask("GET", "/posts?page=1", "", sec); a.status < 500 {
					t.Errorf("without the store: %d", a.status)
				}
				store()
				time.Sleep(sec)
				if a := s.askUnit(t.Context(), "posts[0]", "GET", "/posts?page=1", ""); a.status != tt.want {
					t.Errorf("%d, want %d: %s", a.status, tt.want, a.body)
				}
				if a := s.askUnit(t.Context(), "posts[0]", "GET", "/healthz", ""); a.status != 200 {
					t.Errorf("a probe: %d", a.status)
				}
				s.Stop([]string{"posts[0]"})()
				synctest.Wait()
				if a := s.askUnit(t.Context(), "posts[0]", "GET", "/posts?page=1", ""); a.status != 200 {
					t.Errorf("started again: %d", a.status)
				}
			})
		})
	}
}

// TestForgets makes the connections between services wait for longer than the network keeps them.
func TestForgets(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config Config
		want   string
	}{
		{"a network that keeps them", Config{}, "200:8"},
		{"no connection is used that it may have forgotten", Config{Forgets: 1e9}, "200:8"},
		{"any", Config{Forgets: 1e9, IdleLimit: off()}, "0:8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.config.Work, tt.config.Timeouts, tt.config.Ejection = 50e6, off(), off()
				s := start(t, tt.config)
				ask := func() answer { return s.ask("GET", "/posts?page=1", "", 3*sec) }
				for _, pause := range []time.Duration{0, 900 * time.Millisecond} {
					time.Sleep(pause)
					if got := counts(atOnce(8, ask)); got != "200:8" {
						t.Errorf("after %s: %s", pause, got)
					}
				}
				time.Sleep(1100 * time.Millisecond)
				if got := counts(atOnce(8, ask)); got != tt.want {
					t.Errorf("after longer than the network keeps them: %s, want %s", got, tt.want)
				}
			})
		})
	}
}

// TestIdle lets two clients keep the two connections that the gateway may have, and a third one ask.
func TestIdle(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want string
	}{{"on", nil, "200 after 1s"}, {"off", off(), "0 after 3s"}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Connections: 2, Idle: tt.with})
				for range 2 {
					c := s.raw("gateway[0]")
					defer c.Close()
					fmt.Fprint(c, "GET /posts?page=1 HTTP/1.1\r\nHost: x\r\n\r\n")
					if got := status(c); got != 200 {
						t.Fatal(got)
					}
				}
				a := s.ask("GET", "/posts?page=1", "", 3*sec)
				if got := fmt.Sprintf("%d after %s", a.status, a.took); got != tt.want {
					t.Errorf("%s, want %s", got, tt.want)
				}
			})
		})
	}
}

// TestDeadlines sends a part of a request, and counts the time until the gateway has a place for another one.
func TestDeadlines(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want string
	}{{"on", on(), "200 after 500ms"}, {"off", nil, "503 after 3s"}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Capacity: 1, Deadlines: tt.with, HashPool: off()})
				token := s.login("ann")
				c := s.raw("gateway[0]")
				defer c.Close()
				fmt.Fprintf(c, "POST /posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 28\r\n\r\n{", token)
				synctest.Wait()
				a := s.ask("GET", "/posts?page=1", "", 5*sec)
				if got := fmt.Sprintf("%d after %s", a.status, a.took); got != tt.want {
					t.Errorf("%s, want %s", got, tt.want)
				}
				if tt.with == nil {
					return
				}
				if got := status(c); got != http.StatusBadRequest {
					t.Errorf("the slow one got %d", got)
				}
			})
		})
	}
}

// raw opens a connection to a unit.
func (s *system) raw(unit string) net.Conn {
	c, err := s.net.dial(s.t.Context(), "tcp", "client."+unit+":80")
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// status reads an answer, and returns its status; 0: there is none.
func status(c net.Conn) int {
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestRegistry lets the registry crash and come back empty.
func TestRegistry(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want int // without the registry
	}{{"on", nil, 200}, {"off", off(), 502}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Registry: on(), KeepLast: tt.with})
				count := s.tapes()
				ask := func(when string, want int) {
					t.Helper()
					for range 4 {
						if a := s.ask("GET", "/posts?page=1", "", sec); a.status != want {
							t.Errorf("%s: %d %s", when, a.status, a.body)
						}
					}
				}
				time.Sleep(2*registerEvery + registerEvery/2)
				ask("at first", 200)
				back := s.Crash([]string{"registry[0]"})
				time.Sleep(sec)
				ask("without the registry", tt.want)
				back()
				time.Sleep(2*registerEvery + registerEvery/2)
				ask("with an empty one", 200)
				s.stop["posts[1]"]()
				time.Sleep(registeredFor + 2*registerEvery + registerEvery/2)
				before := count("GET /posts?")
				ask("without a replica", 200)
				if n := count("GET /posts?"); n[1] != before[1] || n[0] != before[0]+4 {
					t.Errorf("the replicas got %v, and before %v", n, before)
				}
			})
		})
	}
}

// TestReadYourWrites reads a post at once after it was written, and later.
func TestReadYourWrites(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want int // of a read by the writer
	}{{"on", nil, 200}, {"off", off(), 404}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Standby: hotStandby, ReplicaReads: on(), ReadYourWrites: tt.with})
				s.net.edge("standby[0]", "store[0]").slow(250 * time.Millisecond)
				time.Sleep(sec)
				mine, other := "Bearer "+s.login("ann"), "Bearer "+s.login("bob")
				wrote := time.Now()
				write := func() string {
					return "/posts/" + idOf(t, s.ask("POST", "/posts", `{"author":"ann","text":"hi"}`, sec, "Authorization", mine))
				}
				path := write()
				if a := s.ask("GET", path, "", sec, "Authorization", mine); a.status != tt.want {
					t.Errorf("the writer reads %d, want %d", a.status, tt.want)
				}
				if a := s.ask("GET", path, "", sec, "Authorization", other); a.status != 404 {
					t.Errorf("another one reads %d from a copy that is late", a.status)
				}
				time.Sleep(2 * sec)
				if a := s.ask("GET", path, "", sec, "Authorization", other); a.status != 200 {
					t.Errorf("another one reads %d from the copy", a.status)
				}
				time.Sleep(time.Until(wrote.Add(freshFor - 100*time.Millisecond)))
				path = write()
				time.Sleep(150 * time.Millisecond)
				if a := s.ask("GET", path, "", sec, "Authorization", mine); a.status != tt.want {
					t.Errorf("the writer reads %d a minute after another write, want %d", a.status, tt.want)
				}
			})
		})
	}
}

// TestStandby lets the store crash for good, and asks for a post that was written before.
func TestStandby(t *testing.T) {
	for _, tt := range []struct {
		kind string
		took time.Duration // until reads and writes work; 0: never
	}{{noStandby, 0}, {hotStandby, 100 * time.Millisecond}, {coldStandby, coldTime + 100*time.Millisecond}} {
		t.Run(tt.kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{
					Standby: tt.kind, Posts: Scale{Replicas: 1}, Breaker: off(), Ejection: off(), Retries: off(), Limiter: off(),
				})
				token := "Bearer " + s.login("ann")
				write := func() answer {
					return s.ask("POST", "/posts", `{"author":"ann","text":"hi"}`, sec, "Authorization", token)
				}
				path := "/posts/" + idOf(t, write())
				time.Sleep(sec)
				s.Crash([]string{"store[0]"})
				began := time.Now()
				for s.ask("GET", path, "", sec).status != 200 && time.Since(began) < 5*sec {
					time.Sleep(20 * time.Millisecond)
				}
				took := time.Since(began)
				if tt.took == 0 {
					if took < 5*sec {
						t.Errorf("it works again after %s", took)
					}
					return
				}
				if took > tt.took || took < tt.took-100*time.Millisecond {
					t.Errorf("it took %s, want %s", took, tt.took)
				}
				made := "/posts/" + idOf(t, write())
				if a := s.ask("GET", made, "", sec); made == path || a.status != 200 {
					t.Errorf("a later write is %s, and reads %d", made, a.status)
				}
			})
		})
	}
}

// TestStandby_Leads: once the standby has been asked to take over, it knows what the store had acknowledged, and its
// keys. A replica of posts that starts later uses it, and not the old store, which is back without all that. A cold
// standby has not yet taken over when that replica starts.
func TestStandby_Leads(t *testing.T) {
	for standby, starts := range map[string]time.Duration{hotStandby: 0, coldStandby: coldTime} {
		t.Run(standby, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{
					Standby: standby, Idempotency: on(), Posts: Scale{Replicas: 1}, Breaker: off(), Ejection: off(),
					Retries: off(), Limiter: off(),
				})
				token := "Bearer " + s.login("ann")
				write := func() string {
					return idOf(t, s.ask("POST", "/posts", `{"author":"ann","text":"hi"}`, sec, "Authorization", token,
						"Idempotency-Key", "k"))
				}
				path := "/posts/" + write()
				time.Sleep(sec) // simulates the time in which the standby follows
				again := s.Crash([]string{"store[0]"})
				for range lostAfter {
					s.ask("GET", path, "", sec)
				}
				again()
				s.Crash([]string{"posts[0]"})()
				time.Sleep(starts + sec) // simulates the time until the standby and posts have started
				if a := s.ask("GET", path, "", sec); a.status != 200 {
					t.Errorf("%d %s, want what was written before", a.status, a.body)
				}
				if id := write(); "/posts/"+id != path {
					t.Errorf("the same write has the id %s, and %s before", id, path)
				}
			})
		})
	}
}

// TestWarmUp: a replica that starts again gets requests once it is warm, or at once, and is then slow.
func TestWarmUp(t *testing.T) {
	for _, tt := range []struct {
		ready string
		slow  bool
	}{{readyWarm, false}, {readyAtOnce, true}} {
		t.Run(tt.ready, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{WarmUp: quantity.Duration(4 * sec), Ready: tt.ready, Limiter: off()})
				time.Sleep(5 * sec) // simulates the time until both are warm
				again := s.Crash([]string{"posts[1]"})
				time.Sleep(2 * sec) // simulates the time in which it is left out
				again()
				answers := s.load(100, 4*sec, "/posts/17", sec)
				if slow := quantile(answers, 0.9) >= coldCall; slow != tt.slow || wrong(answers) > 0 {
					t.Errorf("p90 %v, and %.3f failed", quantile(answers, 0.9), wrong(answers))
				}
			})
		})
	}
}

// TestReplication cuts the standby off, writes, and lets the store crash for good.
func TestReplication(t *testing.T) {
	for _, tt := range []struct {
		kind  string
		write int // while the standby is cut off
	}{{asyncReplication, 201}, {syncReplication, 502}} {
		t.Run(tt.kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{
					Standby: hotStandby, Replication: tt.kind, Posts: Scale{Replicas: 1}, Breaker: off(), Ejection: off(),
					Limiter: off(),
				})
				token := "Bearer " + s.login("ann")
				write := func() answer {
					return s.ask("POST", "/posts", `{"author":"ann","text":"hi"}`, 3*sec, "Authorization", token)
				}
				first := "/posts/" + idOf(t, write())
				time.Sleep(2 * followEvery)
				s.net.edge("standby[0]", "store[0]").hold()
				a := write()
				if a.status/100 != tt.write/100 {
					t.Fatalf("%d %s, want %d", a.status, a.body, tt.write)
				}
				s.Crash([]string{"store[0]"})
				for range 2 * lostAfter {
					s.ask("GET", first, "", sec)
				}
				if a := s.ask("GET", first, "", sec); a.status != 200 {
					t.Errorf("the first write reads %d", a.status)
				}
				if a.status == 201 {
					if a := s.ask("GET", "/posts/"+idOf(t, a), "", sec); a.status != 404 {
						t.Errorf("a write that the standby did not get reads %d", a.status)
					}
				}
			})
		})
	}
}

// TestHub opens more streams at once than the gateway has places for, and stops it.
func TestHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Capacity: 2, JoinWork: 100e6})
		got := make(chan string, 6)
		for range 6 {
			c := s.raw("gateway[0]")
			defer c.Close()
			go func() {
				began := time.Now()
				fmt.Fprint(c, "GET /events HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
					"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
				in := bufio.NewReader(c)
				resp, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Error(err)
					return
				}
				got <- fmt.Sprintf("%d after %s", resp.StatusCode, time.Since(began))
				if resp.StatusCode == http.StatusSwitchingProtocols {
					_, err := io.Copy(io.Discard, in)
					got <- fmt.Sprint("ended ", err)
				}
			}()
		}
		time.Sleep(sec)
		n := map[string]int{}
		for len(got) > 0 {
			n[<-got]++
		}
		if want := map[string]int{"101 after 100ms": 2, "101 after 200ms": 2, "503 after 0s": 2}; !maps.Equal(n, want) {
			t.Errorf("%v, want %v", n, want)
		}
		s.stop["gateway[0]"]()
		synctest.Wait()
		for range 4 {
			if end := <-got; end != "ended <nil>" {
				t.Errorf("a stream %s", end)
			}
		}
	})
}
