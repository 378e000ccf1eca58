package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func on() *bool { return new(true) }

// tapes records the requests from the gateway to the replicas of posts. count returns the number of
// requests of a kind at each replica.
func (s *system) tapes() (count func(request string) [2]int) {
	units := [2]string{"posts[0]", "posts[1]"}
	for _, u := range units {
		s.net.edge("gateway[0]", u).record()
	}
	return func(request string) (n [2]int) {
		for i, u := range units {
			n[i] = strings.Count(s.net.edge("gateway[0]", u).recorded(), request)
		}
		return n
	}
}

// idOf returns the id in the response to a write.
func idOf(t *testing.T, a answer) string {
	t.Helper()
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || a.status != http.StatusCreated || made.ID == "" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	return made.ID
}

// keyed returns the number of posts in the store with a key.
func (s *system) keyed(key string) int {
	a := s.askUnit(context.Background(), "store[0]", "GET", "/posts?key="+key, "")
	var p page
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		s.t.Fatalf("%d %s", a.status, a.body)
	}
	return len(p.Items)
}

// TestBalance slows one of two replicas down: round robin sends requests to both alike, least
// connections sends nearly all to the other.
func TestBalance(t *testing.T) {
	tests := []struct {
		by        string
		low, high float64 // share of requests to the slow replica
	}{
		{"", 0.49, 0.51},
		{roundRobin, 0.49, 0.51},
		{leastConnections, 0, 0.1},
	}
	for _, tt := range tests {
		t.Run("by "+tt.by, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Balance: tt.by})
				s.net.edge("gateway[0]", "posts[1]").slow(100 * time.Millisecond)
				count := s.tapes()
				if w := wrong(s.load(100, 2*sec, "/posts?page=3", sec)); w != 0 {
					t.Errorf("%.3f failed", w)
				}
				n := count("GET /posts?")
				if share := float64(n[1]) / float64(n[0]+n[1]); share < tt.low || share > tt.high {
					t.Errorf("the slow one got %v, want %v to %v", n, tt.low, tt.high)
				}
			})
		})
	}
}

// TestBalance_IPHash checks that an address has one replica, that all replicas are used, and that
// requests to an ejected replica go to another.
func TestBalance_IPHash(t *testing.T) {
	b := balancerOf(3, true)
	b.by = ipHash
	of := map[string]*upstream{}
	all := map[*upstream]int{}
	for i := range 60 {
		ip := fmt.Sprintf("10.0.0.%d", i)
		of[ip] = b.pick(call{client: ip}, nil)
		all[of[ip]]++
	}
	for ip, u := range of {
		for range 5 {
			if b.pick(call{client: ip}, nil) != u {
				t.Fatalf("%s changes its replica", ip)
			}
		}
		if other := b.pick(call{client: ip}, []*upstream{u}); other == u || other == nil {
			t.Errorf("%s is tried again where it failed", ip)
		}
	}
	for _, u := range b.all {
		if all[u] < 10 {
			t.Errorf("60 addresses are spread as %v", all)
		}
	}
	gone := of["10.0.0.1"]
	for range callFailures {
		gone.health.request(bad)
	}
	if u := b.pick(call{client: "10.0.0.1"}, nil); u == gone {
		t.Error("it goes to one that is out")
	}
}

// TestIPHash_Address checks that the gateway uses the client's address without its port.
func TestIPHash_Address(t *testing.T) {
	g := &gateway{posts: &balancer{}}
	for _, addr := range []string{"10.1.2.3:1000", "10.1.2.3:2000"} {
		if q := g.origin(&http.Request{RemoteAddr: addr}, call{}); q.client != "10.1.2.3" {
			t.Errorf("%s is %q", addr, q.client)
		}
	}
}

func TestAffinity(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
	}{{"off", nil}, {"on", on()}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Affinity: tt.with})
				count := s.tapes()
				first := s.ask("GET", "/posts?page=3", "", sec)
				cookie, _, _ := strings.Cut(first.header.Get("Set-Cookie"), ";")
				if (cookie != "") != (tt.with != nil) {
					t.Fatalf("the cookie is %q", cookie)
				}
				again := 0
				for range 20 {
					a := s.ask("GET", "/posts?page=3", "", sec, "Cookie", cookie)
					if a.status != http.StatusOK {
						t.Fatalf("%d %s", a.status, a.body)
					}
					if a.header.Get("Set-Cookie") != "" {
						again++
					}
				}
				n := count("GET /posts?")
				if min(n[0], n[1]) != 0 == (tt.with != nil) {
					t.Errorf("the replicas got %v", n)
				}
				if again != 0 {
					t.Errorf("the cookie is set %d times more", again)
				}
				if tt.with == nil {
					return
				}
				mine := 0
				if n[1] > 0 {
					mine = 1
				}
				s.net.edge("gateway[0]", fmt.Sprintf("posts[%d]", mine)).kill()
				a := s.ask("GET", "/posts?page=3", "", sec, "Cookie", cookie)
				if want := fmt.Sprintf("%s=%d", sessionCookie, 1-mine); a.status != http.StatusOK ||
					!strings.HasPrefix(a.header.Get("Set-Cookie"), want) {
					t.Errorf("its replica is gone: %d, cookie %q, want %s", a.status, a.header.Get("Set-Cookie"), want)
				}
				for _, strange := range []string{"replica=7", "replica=-1", "replica=x"} {
					if a := s.ask("GET", "/posts?page=3", "", sec, "Cookie", strange); a.status != http.StatusOK {
						t.Errorf("%s: %d", strange, a.status)
					}
				}
			})
		})
	}
}

// TestGraceful stops a replica during a request that takes 300 ms.
func TestGraceful(t *testing.T) {
	for _, tt := range []struct {
		name   string
		with   *bool
		status int
	}{{"on", nil, http.StatusOK}, {"off", off(), 0}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Graceful: tt.with})
				s.net.edge("posts[0]", "store[0]").slow(150 * time.Millisecond)
				stopped := make(chan struct{})
				at(100*time.Millisecond, func() {
					s.stop["posts[0]"]()
					close(stopped)
				})
				a := s.askUnit(context.Background(), "posts[0]", "GET", "/posts/17", "")
				<-stopped
				if a.status != tt.status {
					t.Errorf("%d %s, want %d", a.status, a.body, tt.status)
				}
			})
		})
	}
}

func TestNegativeCache(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want int // requests to posts, of three within two seconds
	}{{"off", nil, 3}, {"on", on(), 1}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{NegativeCache: tt.with})
				count := s.tapes()
				asked := func() int { n := count("GET /posts/501"); return n[0] + n[1] }
				ask := func(want int) {
					t.Helper()
					if a := s.ask("GET", "/posts/501", "", sec); a.status != want {
						t.Errorf("%d %s, want %d", a.status, a.body, want)
					}
				}
				for range 3 {
					ask(http.StatusNotFound)
				}
				if n := asked(); n != tt.want {
					t.Errorf("%d questions reached posts, want %d", n, tt.want)
				}
				ask404 := http.StatusOK
				if tt.with != nil { // the cost of the cache
					ask404 = http.StatusNotFound
				}
				s.write(`{"author":"ann","text":"hello"}`)
				ask(ask404)
				time.Sleep(missingFor)
				ask(http.StatusOK)
				if a := s.ask("GET", "/posts/17", "", sec); a.status != http.StatusOK {
					t.Errorf("one that there is: %d", a.status)
				}
			})
		})
	}
}

func TestRecent_Bound(t *testing.T) {
	m := newRecent(missingFor, mostMissing)
	for i := range 3 * mostMissing {
		m.add(fmt.Sprint(i))
	}
	if len(m.keys) > mostMissing {
		t.Errorf("%d are remembered", len(m.keys))
	}
	if !m.has(fmt.Sprint(3*mostMissing - 1)) {
		t.Error("the last is not")
	}
}

// TestSingleFlight sends ten identical requests at once, while posts takes 200 ms.
func TestSingleFlight(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want int
	}{{"off", nil, 10}, {"on", on(), 1}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{SingleFlight: tt.with})
				count := s.tapes()
				users := s.net.edge("gateway[0]", "users[0]")
				users.record()
				users.slow(20 * time.Millisecond)
				for _, u := range []string{"posts[0]", "posts[1]"} {
					s.net.edge("gateway[0]", u).slow(100 * time.Millisecond)
				}
				var all sync.WaitGroup
				for range 10 {
					all.Go(func() {
						if a := s.ask("GET", "/posts?page=3", "", sec); a.status != http.StatusOK ||
							strings.Count(a.body, `"name"`) != 10 {
							t.Errorf("%d %s", a.status, a.body)
						}
					})
				}
				// A client that leaves does not interrupt the others, even if it was the first.
				all.Go(func() { s.ask("GET", "/posts?page=4", "", 50*time.Millisecond) })
				all.Go(func() {
					time.Sleep(10 * time.Millisecond)
					if a := s.ask("GET", "/posts?page=4", "", sec); a.status != http.StatusOK {
						t.Errorf("who waited for another got %d", a.status)
					}
				})
				all.Wait()
				n := count("GET /posts?page=3")
				if n[0]+n[1] != tt.want {
					t.Errorf("%v questions reached posts, want %d", n, tt.want)
				}
				if n := strings.Count(users.recorded(), "GET /users?"); n > tt.want+1 {
					t.Errorf("%d questions reached users", n)
				}
			})
		})
	}
}

func TestIdempotency(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want int
	}{{"off", nil, 3}, {"on", on(), 1}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Idempotency: tt.with})
				ids := map[string]bool{}
				for range 3 {
					ids[idOf(t, s.write(`{"author":"ann","text":"hello"}`, "Idempotency-Key", "k1"))] = true
				}
				if len(ids) != tt.want || s.keyed("k1") != tt.want {
					t.Errorf("ids %v, %d posts, want %d", ids, s.keyed("k1"), tt.want)
				}
				for range 2 { // without a key, posts are not deduplicated
					ids[idOf(t, s.write(`{"author":"ann","text":"hello"}`))] = true
				}
				ids[idOf(t, s.write(`{"author":"ann","text":"hello"}`, "Idempotency-Key", "k2"))] = true
				if len(ids) != tt.want+3 {
					t.Errorf("ids %v", ids)
				}
				a := s.ask("GET", "/posts?key=k1", "", sec)
				if n := strings.Count(a.body, `"text"`); a.status != http.StatusOK || n != tt.want {
					t.Errorf("by its key: %d %s", a.status, a.body)
				}
			})
		})
	}
}

// TestSingleFlight_Whose checks that requests that go to different replicas share no response.
func TestSingleFlight_Whose(t *testing.T) {
	t.Run("affinity", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, Config{SingleFlight: on(), Affinity: on()})
			count := s.tapes()
			for _, u := range []string{"posts[0]", "posts[1]"} {
				s.net.edge("gateway[0]", u).slow(100 * time.Millisecond)
			}
			var all sync.WaitGroup
			for i := range 6 {
				all.Go(func() {
					a := s.ask("GET", "/posts?page=3", "", sec, "Cookie", fmt.Sprintf("%s=%d", sessionCookie, i%2))
					if c := a.header.Get("Set-Cookie"); a.status != http.StatusOK || c != "" {
						t.Errorf("%d %s, and another cookie: %q", a.status, a.body, c)
					}
				})
			}
			all.Wait()
			if n := count("GET /posts?"); n != [2]int{1, 1} {
				t.Errorf("the replicas got %v", n)
			}
		})
	})
	one, two := call{path: "/posts", client: "10.0.0.1"}, call{path: "/posts", client: "10.0.0.2"}
	for by, shared := range map[string]bool{roundRobin: true, leastConnections: true, ipHash: false} {
		g := &gateway{posts: &balancer{by: by}}
		if (g.flight(one) == g.flight(two)) != shared {
			t.Errorf("%s: %q and %q", by, g.flight(one), g.flight(two))
		}
	}
}

// TestRetryWrites slows the store so that posts gives up on writes that the store still commits.
func TestRetryWrites(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config Config
		want   int
	}{
		{"off", Config{}, 1},
		{"on", Config{RetryWrites: on()}, 1 + maxRetries},
		{"on, with idempotency", Config{RetryWrites: on(), Idempotency: on()}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, tt.config)
				for _, u := range []string{"posts[0]", "posts[1]"} {
					s.net.edge(u, "store[0]").slow(450 * time.Millisecond)
				}
				if a := s.write(`{"author":"ann","text":"hello"}`, "Idempotency-Key", "k1"); a.status != http.StatusGatewayTimeout {
					t.Errorf("%d %s, want a timeout", a.status, a.body)
				}
				time.Sleep(sec)
				if n := s.keyed("k1"); n != tt.want {
					t.Errorf("it was written %d times, want %d", n, tt.want)
				}
			})
		})
	}
}

// TestAckEarly checks that a write is acknowledged before the store has it, is stored soon
// afterwards under the returned id, survives an orderly stop, and does not survive a crash.
func TestAckEarly(t *testing.T) {
	write := func(t *testing.T, c Config) (s *system, id string) {
		s = start(t, c)
		began := time.Now()
		id = idOf(t, s.write(`{"author":"ann","text":"hello","alias":"mine"}`, "Idempotency-Key", "k1"))
		if took := time.Since(began); took > 10*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		return s, id
	}
	stop := func(s *system) {
		for _, u := range []string{"posts[0]", "posts[1]"} {
			s.stop[u]()
		}
	}
	t.Run("off", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			if s, id := write(t, Config{}); s.keyed("k1") != 1 || id != "501" {
				t.Errorf("%d, %s", s.keyed("k1"), id)
			}
		})
	})
	t.Run("on", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, id := write(t, Config{AckEarly: on(), LogWrites: on()})
			if n := s.keyed("k1"); n != 0 {
				t.Errorf("the store has it %d times", n)
			}
			if a := s.ask("GET", "/posts/"+id, "", sec); a.status != http.StatusNotFound {
				t.Errorf("%d %s", a.status, a.body)
			}
			time.Sleep(earlyDelay + 10*time.Millisecond)
			if a := s.ask("GET", "/posts/"+id, "", sec); a.status != http.StatusOK || s.keyed("k1") != 1 {
				t.Errorf("after its time: %d %s, %d of it", a.status, a.body, s.keyed("k1"))
			}
			if log := s.logs["posts[0]"].String() +
				s.logs["posts[1]"].String(); !strings.Contains(log, `"acknowledged early","service":"posts"`) &&
				!strings.Contains(log, `"msg":"acknowledged early"`) || !strings.Contains(log, id) {
				t.Errorf("posts log\n%s", log)
			}
			if log := s.logs["store[0]"].String(); !strings.Contains(log, `"msg":"committed"`) || !strings.Contains(log, id) ||
				!strings.Contains(log, `"key":"k1"`) {
				t.Errorf("the store logs\n%s", log)
			}
		})
	})
	t.Run("stopped in good order", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, _ := write(t, Config{AckEarly: on()})
			stop(s)
			if n := s.keyed("k1"); n != 1 {
				t.Errorf("the store has it %d times", n)
			}
		})
	})
	t.Run("cut off", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, _ := write(t, Config{AckEarly: on(), Graceful: off()})
			stop(s)
			time.Sleep(2 * earlyDelay)
			if n := s.keyed("k1"); n != 0 {
				t.Errorf("the store has it %d times", n)
			}
		})
	})
	t.Run("while the store is away", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, Config{AckEarly: on()})
			edges := s.net.into("store[0]")
			if len(edges) == 0 {
				edges = []*edge{s.net.edge("posts[0]", "store[0]"), s.net.edge("posts[1]", "store[0]")}
			}
			for _, e := range edges {
				e.kill()
			}
			idOf(t, s.write(`{"author":"ann","text":"hello"}`, "Idempotency-Key", "k1"))
			time.Sleep(2 * sec)
			for _, e := range edges {
				e.revive()
			}
			time.Sleep(sec)
			if n := s.keyed("k1"); n != 1 {
				t.Errorf("the store has it %d times", n)
			}
		})
	})
}
