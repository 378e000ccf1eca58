package demo

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestIdentity: tokens are good without the service that issued them, unless the gateway asks it about each.
func TestIdentity(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		status int
	}{
		{"checked by signature", Config{Identity: on()}, 200},
		{"asked for", Config{Identity: on(), AskIssuer: on()}, 504},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, c.config)
				token := []string{"Authorization", "Bearer " + s.login("ann")}
				if a := s.ask("GET", "/posts?page=1", "", sec, token...); a.status != 200 {
					t.Fatalf("%d %s", a.status, a.body)
				}
				s.net.edge("gateway[0]", "identity[0]").hold()
				if a := s.ask("GET", "/posts?page=1", "", sec, token...); a.status != c.status {
					t.Errorf("%d without identity, want %d: %s", a.status, c.status, a.body)
				}
				if a := s.ask("POST", "/login", `{"user":"bob"}`, sec); a.status < 500 {
					t.Errorf("a login without identity: %d", a.status)
				}
				if a := s.ask("GET", "/posts?page=1", "", sec, "Authorization", "Bearer ann.x.y"); a.status != 401 {
					t.Errorf("a forged token: %d", a.status)
				}
			})
		})
	}
}

// TestCache: pages are read from the cache, and without the cache from what is behind it, unless the fallback is off.
func TestCache(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		status int
	}{
		{"fallback", Config{Cache: on()}, 200},
		{"none", Config{Cache: on(), Fallback: off()}, 504},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, c.config)
				first := s.ask("GET", "/posts?page=3", "", sec)
				for _, to := range []string{"posts[0]", "posts[1]"} {
					s.net.edge("gateway[0]", to).kill()
				}
				if a := s.ask("GET", "/posts?page=3", "", sec); a.status != 200 || a.body != first.body {
					t.Errorf("%d %s, want what is in the cache", a.status, a.body)
				}
				time.Sleep(cacheFor) // simulates the age of an entry
				if a := s.ask("GET", "/posts?page=3", "", sec); a.status < 500 {
					t.Errorf("%d %s, want no answer from an old entry", a.status, a.body)
				}
				for _, to := range []string{"posts[0]", "posts[1]"} {
					s.net.edge("gateway[0]", to).revive()
				}
				time.Sleep(5 * sec) // simulates the time until the replicas are asked again
				s.net.edge("gateway[0]", "cache[0]").hold()
				if a := s.ask("GET", "/posts?page=4", "", sec); a.status != c.status {
					t.Errorf("%d without the cache, want %d: %s", a.status, c.status, a.body)
				}
			})
		})
	}
}

// TestMonitor: the alert fires while requests fail, and ends with that.
func TestMonitor(t *testing.T) {
	for _, c := range []struct{ rule, state, severity string }{
		{promptRule, "firing", "page"}, {lateRule, "pending", "page"}, {mislabelled, "firing", "info"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Monitor: c.rule})
				rules := func() string {
					return s.askUnit(t.Context(), "monitor[0]", "GET", "/api/v1/rules", "").body
				}
				s.load(20, 3*sec, "/posts?page=3", sec)
				if r := rules(); !strings.Contains(r, `"alerts":[]`) || !strings.Contains(r, alertName) {
					t.Errorf("before: %s", r)
				}
				for _, to := range []string{"posts[0]", "posts[1]"} {
					s.net.edge("gateway[0]", to).kill()
				}
				s.load(20, 4*sec, "/posts?page=3", sec)
				if r := rules(); !strings.Contains(r, `"state":"`+c.state+`"`) ||
					!strings.Contains(r, `"severity":"`+c.severity+`"`) {
					t.Errorf("during: %s", r)
				}
				for _, to := range []string{"posts[0]", "posts[1]"} {
					s.net.edge("gateway[0]", to).revive()
				}
				s.load(20, 12*sec, "/posts?page=3", sec)
				if r := rules(); !strings.Contains(r, `"alerts":[]`) {
					t.Errorf("after: %s", r)
				}
				if a := s.askUnit(t.Context(), "monitor[0]", "GET", "/api/v1/query?query=time()", ""); !strings.Contains(a.body,
					`"scalar"`) {
					t.Errorf("the clock: %d %s", a.status, a.body)
				}
			})
		})
	}
}

// TestMonitor_Pages: ten alerts that fire together are one page or ten, and none without the label of those who are
// paged. The next outage is the next page.
func TestMonitor_Pages(t *testing.T) {
	for _, c := range []struct {
		rule, pages   string
		first, second string
	}{
		{promptRule, groupedPages, "1", "2"},
		{promptRule, singlePages, "10", "20"},
		{mislabelled, groupedPages, "0", "0"},
	} {
		t.Run(c.rule+" "+c.pages, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Monitor: c.rule, Pages: c.pages})
				pages := func() string {
					text := s.askUnit(t.Context(), "monitor[0]", "GET", "/metrics", "").body
					_, after, _ := strings.Cut(text, "\nalertmanager_notifications_total ")
					n, _, _ := strings.Cut(after, "\n")
					return n
				}
				for _, want := range []string{c.first, c.second} {
					for _, to := range []string{"posts[0]", "posts[1]"} {
						s.net.edge("gateway[0]", to).kill()
					}
					s.load(20, 4*sec, "/posts?page=3", sec)
					if got := pages(); got != want {
						t.Errorf("%s pages, want %s", got, want)
					}
					for _, to := range []string{"posts[0]", "posts[1]"} {
						s.net.edge("gateway[0]", to).revive()
					}
					s.load(20, 12*sec, "/posts?page=3", sec)
				}
			})
		})
	}
}
