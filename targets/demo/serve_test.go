package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestServe runs the five services over loopback, like a stack, but in this process.
func TestServe(t *testing.T) {
	addrs := map[string][]string{}
	for _, svc := range (Config{}).Services() {
		for i := range svc.Replicas {
			env := map[string]string{"BRUNT_ADDR": "127.0.0.1:0", "BRUNT_UNIT": fmt.Sprintf("%s[%d]", svc.Name, i)}
			for _, l := range svc.Links {
				env["LINK_"+strings.ToUpper(l)] = strings.Join(addrs[l], ",")
			}
			addrs[svc.Name] = append(addrs[svc.Name], serveOne(t, svc.Name, env))
		}
	}
	resp, err := http.Get("http://" + addrs[gatewayName][0] + "/posts?page=2")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var p pageView
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || len(p.Items) != 10 || p.Items[0].Author.Name == "" {
		t.Errorf("%s: %+v, %v", resp.Status, p, err)
	}
	for name, at := range addrs {
		for _, addr := range at {
			for path, want := range map[string]string{"/healthz": `"ok"`, "/metrics": "go_goroutines"} {
				resp, err := http.Get("http://" + addr + path)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 200 || !strings.Contains(string(body), want) {
					t.Errorf("%s of %s: %s %s", path, name, resp.Status, body)
				}
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// serveOne runs a service until the test ends, and returns its address from its log.
func serveOne(t *testing.T, name string, env map[string]string) string {
	t.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, name, func(k string) string { return env[k] }, w)
		w.Close()
	}()
	log := bufio.NewReader(r)
	line, err := log.ReadBytes('\n')
	if err != nil {
		t.Fatalf("%s didn't start: %v", name, <-done)
	}
	var started struct{ Msg, Service, Unit, Addr string }
	if err := json.Unmarshal(line, &started); err != nil || started.Msg != "started" || started.Service != name ||
		started.Unit != env["BRUNT_UNIT"] {
		t.Errorf("the log begins with %s", line)
	}
	go io.Copy(io.Discard, log)
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c, err := net.Dial("tcp", started.Addr); err == nil {
			c.Close()
			t.Errorf("%s still listens", name)
		}
	})
	return started.Addr
}

func TestServe_Mistakes(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	tests := []struct {
		name    string
		service string
		env     map[string]string
		want    []string
	}{
		{"unknown service", "comments", nil, []string{`"comments"`, "gateway", "store"}},
		{"no address", "users", nil, []string{"BRUNT_ADDR"}},
		{"no links", "gateway", map[string]string{"BRUNT_ADDR": "127.0.0.1:0"}, []string{"LINK_POSTS", "LINK_USERS"}},
		{"no links, no address", "posts", nil, []string{"BRUNT_ADDR", "LINK_STORE", "LINK_NOTIFICATIONS"}},
		{"no switch", "gateway", map[string]string{
			"BRUNT_ADDR": "127.0.0.1:0", "LINK_POSTS": "127.0.0.1:1", "LINK_USERS": "127.0.0.1:1",
			"DEMO_BREAKER": "maybe", "DEMO_LIMITER": "no",
		}, []string{`DEMO_BREAKER is "maybe"`, "DEMO_LIMITER"}},
		{"port taken", "store", map[string]string{"BRUNT_ADDR": ln.Addr().String()}, []string{"listening"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Serve(t.Context(), tt.service, func(k string) string { return tt.env[k] }, io.Discard)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q doesn't tell of %s", err, want)
				}
			}
		})
	}
}

// TestServe_Stop stops the gateway during a request that waits for the store.
func TestServe_Stop(t *testing.T) {
	tests := []struct {
		name   string
		delay  time.Duration // to and from the store
		status int
		took   time.Duration // duration of the stop, at most
		cut    bool
	}{
		{"idle", 0, 200, 0, false},
		{"a slow request is answered", 300 * time.Millisecond, 200, 1200 * time.Millisecond, false},
		{"a request that would take too long is cut off", time.Minute, 0, 2 * time.Second, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Timeouts: off(), Posts: Scale{Replicas: 1}})
				s.net.edge("posts[0]", "store[0]").slow(tt.delay)
				got := make(chan answer)
				go func() { got <- s.ask("GET", "/posts/1", "", time.Hour) }()
				synctest.Wait()
				if tt.delay == 0 {
					if a := <-got; a.status != tt.status {
						t.Errorf("%d %s", a.status, a.body)
					}
				}
				began := time.Now()
				s.stop["gateway[0]"]()
				if took := time.Since(began); took > tt.took {
					t.Errorf("it took %v to stop, want %v at most", took, tt.took)
				}
				if tt.delay > 0 {
					if a := <-got; a.status != tt.status {
						t.Errorf("the request under way got %d %s, want %d", a.status, a.body, tt.status)
					}
				}
				if cut := strings.Contains(s.logs["gateway[0]"].String(), "cut off"); cut != tt.cut {
					t.Errorf("cut off: %v, want %v", cut, tt.cut)
				}
				if a := s.ask("GET", "/posts/1", "", time.Second); a.status != 0 {
					t.Errorf("it still answers: %d", a.status)
				}
			})
		})
	}
}

// TestServe_StopUnused checks that a connection that was never used does not delay a stop.
func TestServe_StopUnused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{})
		c, err := s.net.dial(t.Context(), "tcp", "client.users[0]:80")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		synctest.Wait()
		began := time.Now()
		s.stop["users[0]"]()
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v to stop", took)
		}
	})
}

func TestSampler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		s := newSampler(slogTo(&out))
		for range 10 {
			s.warn("call failed", "of", "posts")
			s.warn("no names")
			time.Sleep(250 * time.Millisecond)
		}
		if n := strings.Count(out.String(), "call failed"); n != 3 {
			t.Errorf("%d lines of ten in 2.5 s, want 3:\n%s", n, out.String())
		}
		if n := strings.Count(out.String(), `"left_out":3`); n != 4 {
			t.Errorf("%d lines report 3 left out, want 4:\n%s", n, out.String())
		}
	})
}

func FuzzReadPost(f *testing.F) {
	f.Add(`{"author":"ann","text":"hi"}`, "k")
	f.Add(`{"author":"ann","text":"`+strings.Repeat("ü", maxText)+`"}`, "")
	f.Add(`{"id":"7","author":"","text":null}`, "")
	f.Add(`[`, "")
	f.Fuzz(func(t *testing.T, body, key string) {
		r := &http.Request{Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{"Idempotency-Key": {key}}}
		p, k, err := input{}.readPost(nil, r)
		if err != nil {
			if _, ok := err.(*problem); !ok {
				t.Errorf("%v is not fit for a client", err)
			}
			return
		}
		if p.ID != "" || k != key || !validID(p.Author) || p.Text == "" || len([]rune(p.Text)) > maxText || len(k) > maxKey {
			t.Errorf("accepted %+v, %q", p, k)
		}
	})
}
